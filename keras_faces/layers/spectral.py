"""Layers divided by their largest singular value, so that none stretches its input: W / σ(W).

Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", sections 2.1 and 2.2 with
algorithm 1; the dissertation's eq. 2.13. σ(W) is how much W can lengthen a vector. If all layers of D have σ = 1, its
slope is bounded, whatever it learns. (For dense layers the bound is 1. A convolution's matrix is that of one patch, as
in the paper; where patches overlap, a pixel counts in each: 5×5 with stride 2 can lengthen 3 times.)

Power iteration is cheaper than a singular value decomposition: multiplied by W and its transpose in turn, a vector u
turns towards the direction that W stretches most. W moves little from step to step, so u is kept, and one round a step
is enough: in training the true σ of a layer stays within about a tenth of 1.

``keras.layers.SpectralNormalization`` differs in three points that matter:

- the kernel is never overwritten here: the optimizer's weight is W, the layer works with W / σ(W);
- σ is a function of W, and the gradient runs through it (eq. 12), with u and v taken as constants;
- u moves in training only, and is a weight: checkpoints hold it, and a frozen D keeps it.

See also: ``models/gans/sngan.py``, ``layers/attention.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import initializers, layers, ops

from keras_faces.fast.bias import plus_bias
from keras_faces.fast.convolution import convolution

SQUARINGS = 10  # 2¹⁰ rounds of power iteration before the first step


class SpectralLayer(layers.Layer):
    """Base of the two layers: a kernel whose last axis counts the outputs, its vector u, and W / σ(W).

    Parameters
    ----------
    use_bias : bool
        Whether a bias is added. It is not normalised.
    kernel_initializer : str or keras.initializers.Initializer
        Of W, before it is divided.
    """

    def __init__(self, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", **options: Any) -> None:
        super().__init__(**options)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)

    def add_weights(self, kernel_shape: tuple[int, ...]) -> None:
        """Make kernel and bias, which are learned, and u, which is not. Kernel and u are always float32.

        Parameters
        ----------
        kernel_shape : tuple of int
            Its last entry is the number of outputs.
        """
        outputs = kernel_shape[-1:]
        self.kernel = self.add_weight(
            kernel_shape, initializer=self.kernel_initializer, dtype="float32", autocast=False, name="kernel"
        )
        self.bias = self.add_weight(outputs, initializer="zeros", name="bias") if self.use_bias else None
        self.u = self.add_weight(
            outputs, initializer=self._first_vector, trainable=False, dtype="float32", autocast=False, name="u"
        )

    def normalised_kernel(self, training: bool = False) -> Any:
        """Return W / σ(W).

        The kernel is taken as the matrix of section 2.1: a row for each output, a column for each place and channel of
        the patch it reads. Keras keeps outputs last, so ``transposed`` is Wᵀ.

        Parameters
        ----------
        training : bool
            Whether u moves by one round of algorithm 1.

        Returns
        -------
        tensor of float32, in the kernel's shape
        """
        transposed = self._transposed()
        constant = ops.stop_gradient(transposed)
        v = _unit(ops.matmul(constant, self.u))  # algorithm 1, first half
        u = _unit(ops.matmul(v, constant))  # and second half
        if training:
            self.u.assign(u)
        sigma = ops.sum(v * ops.matmul(transposed, u))  # uᵀWv
        return self.kernel / ops.maximum(sigma, 1e-12)

    def _transposed(self) -> Any:
        return ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))

    def _first_vector(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """A random u after 1024 rounds with the initial kernel, so that σ is right from the first step on."""
        transposed = self._transposed()
        rounds = ops.matmul(ops.transpose(transposed), transposed)  # W Wᵀ turns u as one round does
        for _ in range(SQUARINGS):
            rounds = _unit(ops.matmul(rounds, rounds))  # twice as many
        return _unit(ops.matmul(rounds, initializers.RandomNormal(stddev=1.0)(shape, dtype="float32")))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable("keras_faces")
class SpectralConv2D(SpectralLayer):
    """A convolution with the kernel W / σ(W): (batch, H, W, channels) to (batch, H', W', filters), "same" padding.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int
        Side of the square kernel.
    strides : int
        A side n becomes ⌈n / strides⌉.
    use_bias, kernel_initializer
        See :class:`SpectralLayer`.
    """

    def __init__(self, filters: int, kernel_size: int, strides: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides

    def build(self, input_shape: tuple) -> None:
        self.add_weights((self.kernel_size, self.kernel_size, input_shape[-1], self.filters))

    def call(self, inputs: Any, training: bool = False) -> Any:
        kernel = ops.cast(self.normalised_kernel(training), self.compute_dtype)
        outputs = convolution(inputs, kernel, self.strides)
        return plus_bias(outputs, self.bias) if self.use_bias else outputs

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "kernel_size": self.kernel_size, "strides": self.strides}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("keras_faces")
class SpectralDense(SpectralLayer):
    """A dense layer with the kernel W / σ(W): (batch, inputs) to (batch, units).

    Parameters
    ----------
    units : int
        Number of outputs.
    use_bias, kernel_initializer
        See :class:`SpectralLayer`.
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    def build(self, input_shape: tuple) -> None:
        self.add_weights((input_shape[-1], self.units))

    def call(self, inputs: Any, training: bool = False) -> Any:
        outputs = ops.matmul(inputs, ops.cast(self.normalised_kernel(training), self.compute_dtype))
        return plus_bias(outputs, self.bias) if self.use_bias else outputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def _unit(values: Any) -> Any:
    """A vector or matrix at length 1."""
    return values / (ops.sqrt(ops.sum(values**2)) + 1e-12)
