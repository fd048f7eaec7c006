"""What every system with an encoder has: a photograph to its code, a code to a face, and both in one.

A GAN makes faces of noise; nobody can tell it which noise makes *this* face. An encoder E can: it reads a photograph
and says where its code lies, as a mean μ and the logarithm of a variance, log σ². Then

    z = μ + σ·ε,   ε ~ N(0, I)

is a code drawn from there (the reparametrisation of eq. 2.1: chance comes in as ε, so that gradients pass through μ
and σ), and the decoder makes a face of it. The decoder is what makes faces, so it is the ``generator``.

:class:`EncodingModel` stands in front of a kind of :class:`FaceModel` in a class's bases: ``class VAEGAN(EncodingModel,
AdversarialModel)``. :class:`Autoencoder` is the kind without a discriminator of images.

Read next: ``models/vae.py``; ``encoding_pictures.py`` for what one can see with an encoder.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces.training.adam import Adam
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import global_norm
from keras_faces.training.optimizers import AdversarialOptimizer
from keras_faces.training.sampling import in_batches


class EncodingModel:
    """A :class:`FaceModel` with an encoder.

    Parameters
    ----------
    networks, rule
        Those of the kind of model behind this class.
    encoder
        Model from images (batch, H, W, 3) in ``value_range``, or ``[images, labels]`` if G reads labels too, to
        ``[μ, log σ²]``, each (batch, latent_dim); or to one code (batch, latent_dim) if nothing is drawn.
    """

    def __init__(self, *networks: keras.Model, encoder: keras.Model, **rule: Any) -> None:
        super().__init__(*networks, **rule)
        self.encoder = encoder
        said = tuple(encoder.outputs[0].shape)[1:]
        if said != (self.latent_dim,):
            raise ValueError(f"the encoder's codes are {said}, the generator reads {(self.latent_dim,)}.")

    # --------------------------------------------------------------------------------------------- in a step

    def posterior(self, images: Any, *labels: Any, training: bool) -> tuple[Any, Any]:
        """μ and log σ² of scaled images, each float32 (batch, latent_dim)."""
        mean, log_variance = self.encoder([images, *labels] if labels else images, training=training)
        return ops.cast(mean, "float32"), ops.cast(log_variance, "float32")

    # ------------------------------------------------------------------------------------------------ codes

    def encode(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """Codes of photographs, float32 (n, latent_dim): the means μ, so that nothing is left to chance.

        Parameters
        ----------
        images
            uint8 (n, H, W, 3), of the model's size.
        labels
            Of a system that reads labels: those of the images, see ``Labelled.label_vectors``; else ``None``.

        Raises
        ------
        ValueError
            For images of another kind or size, labels that are missing, and labels that nobody reads.
        """
        self.synchronise()
        images = self._checked(images)
        inputs = [images, *self._told(labels, len(images))]
        codes = [self._means(part) for part in in_batches(inputs, 64)]
        return np.concatenate(codes) if codes else np.zeros((0, self.latent_dim), "float32")

    def _means(self, inputs: list[np.ndarray]) -> np.ndarray:
        images, labels = self.scaled(inputs[0]), [ops.convert_to_tensor(part) for part in inputs[1:]]
        found = self.encoder([images, *labels] if labels else images, training=False)
        return ops.convert_to_numpy(ops.cast(found[0] if isinstance(found, (list, tuple)) else found, "float32"))

    def decode(self, latents: np.ndarray, labels: Any = None) -> np.ndarray:
        """Faces of codes (n, latent_dim): uint8 (n, H, W, 3). ``labels`` and errors as of :meth:`encode`."""
        latents = np.asarray(latents, "float32")
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim:
            raise ValueError(f"codes of shape {latents.shape}: {self.name} reads (n, {self.latent_dim}).")
        return self.render(latents, *self._told(labels, len(latents)))

    def reconstruct(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """What is left of photographs once they are codes: uint8 (n, H, W, 3). Parameters as of :meth:`encode`."""
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

    def _told(self, labels: Any, count: int) -> tuple[np.ndarray, ...]:
        """The label vectors (count, n) as a tuple, empty for a system that reads none."""
        if not hasattr(self, "label_vectors"):
            if labels is not None:
                raise ValueError(f"{self.name} reads no labels: leave them out.")
            return ()
        if labels is None:
            known = ", ".join(self.label_names[:10])
            raise ValueError(f"{self.name} reads a face together with its label: say which, of {known}.")
        return (self.label_vectors(labels, count),)

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "encoder": keras.saving.serialize_keras_object(self.encoder)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Any:
        encoder = keras.saving.deserialize_keras_object(config["encoder"], custom_objects)
        return super().from_config({**config, "encoder": encoder}, custom_objects)


class Autoencoder(EncodingModel, FaceModel):
    """An encoder and a decoder that learn together, with an optimizer each; no network judges images.

    Parameters
    ----------
    generator
        The decoder, from codes (batch, latent_dim), and labels if it reads some, to images in ``value_range``.
    encoder
        See :class:`EncodingModel`.
    average, value_range, seed
        See :class:`FaceModel`.
    """

    def compile(self, e_optimizer: Any = None, g_optimizer: Any = None, **kwargs: Any) -> None:
        """Give E and G an optimizer each; by default Adam, rate 1e-3. ``kwargs`` are those of Keras's ``compile``."""
        optimizer = AdversarialOptimizer(encoder=e_optimizer or Adam(1e-3), generator=g_optimizer or Adam(1e-3))
        optimizer.build(self.generator.trainable_variables, self.encoder.trainable_variables)
        super().compile(optimizer=optimizer, **kwargs)

    def both(self) -> list[keras.Variable]:
        """The weights of E and of G, E's first."""
        return self.encoder.trainable_variables + self.generator.trainable_variables

    def move_both(self, gradients: list[Any]) -> dict[str, Any]:
        """E's and G's optimizers move their weights, and the average of G's follows."""
        first = len(self.encoder.trainable_variables)
        self.optimizer.encoder.apply(gradients[:first], self.encoder.trainable_variables)
        self.optimizer.generator.apply(gradients[first:], self.generator.trainable_variables)
        if self.average:
            self.average.update(self.generator)
        return {"e_gradient": global_norm(gradients[:first]), "g_gradient": global_norm(gradients[first:])}

    def get_config(self) -> dict[str, Any]:
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "average": self.average.decay if self.average else 0.0,
            "value_range": self.value_range,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Autoencoder:
        load = keras.saving.deserialize_keras_object
        return cls(**{**config, **{key: load(config[key], custom_objects) for key in ("generator", "encoder")}})

    def get_compile_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            "e_optimizer": serialize(self.optimizer.encoder),
            "g_optimizer": serialize(self.optimizer.generator),
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**{key: keras.saving.deserialize_keras_object(value) for key, value in config.items()})


# ------------------------------------------------------------------------------------------------- the two terms


def reparametrised(mean: Any, log_variance: Any, chance: Any) -> Any:
    """A code drawn from N(μ, σ²): ``μ + σ·ε``, with ``σ = exp(½ log σ²)``; all (batch, latent_dim).

    Eq. 2.1 prints ``μ + Σ ⊙ N(0, I)`` and eq. 4.1's text ``μ + r ⊙ exp(ε)`` with ε = log σ²; both would be a variance
    where a standard deviation belongs (``docs/errata.md``).
    """
    return mean + ops.exp(0.5 * log_variance) * chance


def kl_divergence(mean: Any, log_variance: Any) -> Any:
    """KL(N(μ, σ²) ‖ N(0, I)) in nats, the mean over a batch of ``½ (μᵀμ + Σ (exp(log σ²) − log σ² − 1))`` (eq. 4.1)."""
    mean, log_variance = ops.cast(mean, "float32"), ops.cast(log_variance, "float32")
    return 0.5 * ops.mean(ops.sum(mean**2 + ops.exp(log_variance) - log_variance - 1.0, axis=-1))


def squared_error(images: Any, others: Any) -> Any:
    """``‖f(z) − X‖²`` of eq. 2.1: the squares summed over all that one image has, the mean over a batch."""
    difference = ops.cast(images, "float32") - ops.cast(others, "float32")
    return ops.mean(ops.sum(difference**2, axis=tuple(range(1, len(difference.shape)))))
