"""Dense layer and convolution with an equalised learning rate: weights start at N(0, 1) and are scaled at run time.

Source: Karras et al. 2018, "Progressive growing of GANs", section 4.1. He et al. 2015 start a layer's weights with the
standard deviation ``c = gain / √fan_in``. Adam moves every weight by about the learning rate, whatever its size: large
weights learn slowly, small ones fast. Here weights are stored at size 1 and multiplied by c when they are used, so that
all learn at the same relative speed. (The paper writes ``ŵ = w / c``; its own code multiplies, and so do we.)

See also: ``models/gans/pggan.py``, where all layers with weights are of this kind.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_faces.fast.bias import plus_bias
from keras_faces.fast.convolution import convolution


class _Equalized(keras.layers.Layer):
    """Common base: a kernel of size 1, the constant c, a bias."""

    def __init__(
        self,
        width: int,
        *,
        gain: float = math.sqrt(2.0),
        lr_multiplier: float = 1.0,
        use_bias: bool = True,
        bias_init: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if width < 1:
            raise ValueError(f"{type(self).__name__} needs at least 1 output, not {width}.")
        if not lr_multiplier > 0:
            raise ValueError(f"lr_multiplier={lr_multiplier}: must be a positive number, 0.01 slows 100 times.")
        self.width = width
        self.gain = gain
        self.lr_multiplier = lr_multiplier
        self.use_bias = use_bias
        self.bias_init = bias_init

    def _make_weights(self, kernel_shape: tuple[int, ...]) -> None:
        fan_in = math.prod(kernel_shape[:-1])
        self.scale = self.gain / math.sqrt(fan_in) * self.lr_multiplier
        start = keras.initializers.RandomNormal(stddev=1.0 / self.lr_multiplier)
        self.kernel = self.add_weight(shape=kernel_shape, initializer=start, name="kernel")
        self.bias = None
        if self.use_bias:
            start = keras.initializers.Constant(self.bias_init / self.lr_multiplier)
            self.bias = self.add_weight(shape=(self.width,), initializer=start, name="bias")

    def _add_bias(self, outputs: Any) -> Any:
        return outputs if self.bias is None else plus_bias(outputs, self.bias * self.lr_multiplier)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "gain": self.gain,
            "lr_multiplier": self.lr_multiplier,
            "use_bias": self.use_bias,
            "bias_init": self.bias_init,
        }


@keras.saving.register_keras_serializable("keras_faces")
class EqualizedDense(_Equalized):
    """A dense layer: (..., inputs) to (..., units).

    Parameters
    ----------
    units : int
        Number of outputs.
    gain : float
        √2 before a (leaky) ReLU, which lets half of the signal through; 1 where nothing follows.
    lr_multiplier : float
        The weights learn this many times as fast as others: they are stored larger by ``1 / lr_multiplier`` and used
        smaller, so that the layer starts the same (Karras et al. 2019, appendix C: 0.01 for the mapping network).
    use_bias : bool
        Whether a bias is added.
    bias_init : float
        Initial value of the bias.

    Raises
    ------
    ValueError
        For ``units`` below 1 and an ``lr_multiplier`` that is not positive.
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(units, **options)
        self.units = units

    def build(self, input_shape):
        self._make_weights((input_shape[-1], self.units))

    def call(self, inputs):
        return self._add_bias(ops.matmul(inputs, self.kernel * self.scale))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("keras_faces")
class EqualizedConv2D(_Equalized):
    """A convolution with stride 1: (batch, H, W, channels) to (batch, H, W, filters).

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int
        Side of the square kernel.
    padding : str
        "same", or "valid" for a map smaller by ``kernel_size - 1``.
    gain, lr_multiplier, use_bias, bias_init
        See :class:`EqualizedDense`.

    Raises
    ------
    ValueError
        As :class:`EqualizedDense`, and for a ``kernel_size`` below 1 or another ``padding``.
    """

    def __init__(self, filters: int, kernel_size: int, padding: str = "same", **options: Any) -> None:
        super().__init__(filters, **options)
        if kernel_size < 1:
            raise ValueError(f"kernel_size={kernel_size}: must be at least 1.")
        if padding not in ("same", "valid"):
            raise ValueError(f'padding={padding!r}: choose from "same", "valid".')
        self.filters = filters
        self.kernel_size = kernel_size
        self.padding = padding

    def build(self, input_shape):
        self._make_weights((self.kernel_size, self.kernel_size, input_shape[-1], self.filters))

    def call(self, inputs):
        return self._add_bias(convolution(inputs, self.kernel * self.scale, padding=self.padding))

    def get_config(self) -> dict[str, Any]:
        options = {"filters": self.filters, "kernel_size": self.kernel_size, "padding": self.padding}
        return {**super().get_config(), **options}
