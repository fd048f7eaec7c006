"""Models with an encoder: a photograph becomes a code, a code becomes a face.

A GAN makes faces of noise, but cannot tell which noise makes a given face. An encoder E reads a photograph and gives
the mean μ and the log variance log σ² of its code. A code is sampled as

    z = μ + σ·ε,   ε ~ N(0, I)                                                                            (eq. 2.1)

so that gradients pass through μ and σ. The decoder makes a face of it; it is the ``generator``.

:class:`EncoderMixin` brings an encoder to any :class:`FaceModel`: list it before FaceModel in the bases.
:class:`Autoencoder` has no discriminator of images.

See also: ``models/autoencoders/vae.py``; ``figures/encoding.py`` for pictures of codes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces.training.base import FaceModel
from keras_faces.training.sampling import in_batches


class EncoderMixin:
    """An encoder for a :class:`FaceModel`.

    Parameters
    ----------
    networks, options
        Those of the class behind this one.
    encoder : keras.Model
        From images (batch, H, W, 3) in ``value_range``, or ``[images, labels]`` if G reads labels too, to
        ``[μ, log σ²]``, each (batch, latent_dim); or to one code (batch, latent_dim) if it is not sampled.

    Raises
    ------
    ValueError
        If its codes have another length than G's input.
    """

    def __init__(self, *networks: keras.Model, encoder: keras.Model, **options: Any) -> None:
        super().__init__(*networks, **options)
        self.encoder = encoder
        length = tuple(encoder.outputs[0].shape)[1:]
        if length != (self.latent_dim,):
            raise ValueError(f"the encoder's codes are {length}, the generator reads {(self.latent_dim,)}.")

    # --------------------------------------------------------------------------------------------- in a step

    def posterior(self, images: Any, *labels: Any, training: bool) -> tuple[Any, Any]:
        """Return μ and log σ² of images in ``value_range``, each float32 (batch, latent_dim)."""
        mean, log_variance = self.encoder([images, *labels] if labels else images, training=training)
        return ops.cast(mean, "float32"), ops.cast(log_variance, "float32")

    # ------------------------------------------------------------------------------------------------ codes

    def encode(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """Encode photographs as their means μ; nothing is sampled.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, H, W, 3)
            Of the model's size.
        labels : optional
            Labels of the images, for a system that reads labels; see ``LabelMixin.label_vectors``.

        Returns
        -------
        ndarray of float32, shape (n, latent_dim)
            Codes.

        Raises
        ------
        ValueError
            For images of another kind or size, labels that are missing, and labels that the system does not read.
        """
        self.synchronise()
        images = self._checked(images)
        inputs = [images, *self._label_inputs(labels, len(images))]
        codes = [self._means(part) for part in in_batches(inputs, 64)]
        return np.concatenate(codes) if codes else np.zeros((0, self.latent_dim), "float32")

    def _means(self, inputs: list[np.ndarray]) -> np.ndarray:
        images, labels = self.preprocess(inputs[0]), [ops.convert_to_tensor(part) for part in inputs[1:]]
        found = self.encoder([images, *labels] if labels else images, training=False)
        return ops.convert_to_numpy(ops.cast(found[0] if isinstance(found, (list, tuple)) else found, "float32"))

    def decode(self, latents: np.ndarray, labels: Any = None) -> np.ndarray:
        """Make faces, uint8 (n, H, W, 3), of codes (n, latent_dim); ``labels`` and errors as of :meth:`encode`."""
        latents = np.asarray(latents, "float32")
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim:
            raise ValueError(f"codes of shape {latents.shape}: {self.name} reads (n, {self.latent_dim}).")
        return self.render(latents, *self._label_inputs(labels, len(latents)))

    def reconstruct(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """Encode and decode photographs: uint8 (n, H, W, 3). Parameters as of :meth:`encode`."""
        return self.decode(self.encode(images, labels), labels)

    def _checked(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images)
        wanted = tuple(self.generator.output_shape[1:])
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != wanted:
            raise ValueError(
                f"images are {images.dtype} {images.shape}: {self.name} encodes uint8 (n, {', '.join(map(str, wanted))}"
                "), RGB. `kf.data.load(..., image_size=...)` reads photographs so."
            )
        return images

    def _label_inputs(self, labels: Any, count: int) -> tuple[np.ndarray, ...]:
        """The label vectors (count, n) as a tuple, empty for a system that reads none."""
        if not hasattr(self, "label_vectors"):
            if labels is not None:
                raise ValueError(f"{self.name} reads no labels: leave them out.")
            return ()
        if labels is None:
            known = ", ".join(self.label_names[:10])
            raise ValueError(f"{self.name} reads a face together with its label: say which, of {known}.")
        return (self.label_vectors(labels, count),)


class Autoencoder(EncoderMixin, FaceModel):
    """An encoder and a decoder that learn together, with an optimizer each and no discriminator of images.

    Parameters
    ----------
    generator : keras.Model
        The decoder, from codes (batch, latent_dim), and labels if it reads any, to images in ``value_range``.
    encoder : keras.Model
        See :class:`EncoderMixin`.
    average, value_range, seed
        See :class:`FaceModel`.
    """

    def compile(self, e_optimizer: Any = None, g_optimizer: Any = None, **kwargs: Any) -> None:
        """Give E and G an optimizer each.

        Parameters
        ----------
        e_optimizer, g_optimizer : keras.optimizers.Optimizer, optional
            By default Adam, learning rate 1e-3.
        kwargs
            Of :meth:`FaceModel.compile`.
        """
        parts = {
            "generator": (g_optimizer or keras.optimizers.Adam(1e-3), self.generator),
            "encoder": (e_optimizer or keras.optimizers.Adam(1e-3), self.encoder),
        }
        self.set_optimizers(parts, **kwargs)

    def update_both(self, loss_fn: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any, dict[str, Any]]:
        """Let E's and G's optimizers make a step on one loss, and the average of G's weights follow.

        Parameters
        ----------
        loss_fn : callable
            Returns ``(loss, aux)``, see :meth:`FaceModel.update`.

        Returns
        -------
        tuple
            ``(loss, aux, logs)``; the logs are ``e_gradient`` and ``g_gradient``.
        """
        weights = {"encoder": self.encoder.trainable_variables, "generator": self.generator.trainable_variables}
        loss, aux, e_gradient, g_gradient = self.update(loss_fn, **weights)
        self.update_average()
        return loss, aux, {"e_gradient": e_gradient, "g_gradient": g_gradient}

    def get_compile_config(self) -> dict[str, Any]:
        return self.optimizer_configs(e_optimizer="encoder", g_optimizer="generator")


def reparameterize(mean: Any, log_variance: Any, epsilon: Any) -> Any:
    """Sample codes from N(μ, σ²) as ``μ + σ·ε`` with ``σ = exp(½ log σ²)`` (eq. 2.1; errata of 2.1 and 4.1).

    Parameters
    ----------
    mean, log_variance, epsilon : tensor, shape (batch, latent_dim)
        μ, log σ² and standard normal noise.

    Returns
    -------
    tensor, shape (batch, latent_dim)
        z. The sources print a variance where the standard deviation belongs (``docs/errata.md``).
    """
    return mean + ops.exp(0.5 * log_variance) * epsilon


def kl_divergence(mean: Any, log_variance: Any) -> Any:
    """Return KL(N(μ, σ²) ‖ N(0, I)) in nats: the batch mean of ``½ Σ (μ² + σ² − log σ² − 1)`` (eq. 4.1).

    Parameters
    ----------
    mean, log_variance : tensor, shape (batch, latent_dim)
        μ and log σ².

    Returns
    -------
    tensor
        Scalar, float32.
    """
    mean, log_variance = ops.cast(mean, "float32"), ops.cast(log_variance, "float32")
    return 0.5 * ops.mean(ops.sum(mean**2 + ops.exp(log_variance) - log_variance - 1.0, axis=-1))


def squared_error(images: Any, others: Any) -> Any:
    """Return ``‖f(z) − X‖²`` of eq. 2.1: squares summed over one image, the mean over the batch.

    Parameters
    ----------
    images, others : tensor, shape (batch, ...)
        Images or features of the same shape.

    Returns
    -------
    tensor
        Scalar, float32.
    """
    difference = ops.cast(images, "float32") - ops.cast(others, "float32")
    return ops.mean(ops.sum(difference**2, axis=tuple(range(1, len(difference.shape)))))
