"""pca: a face is the mean face and so much of each eigenface.

Source: the dissertation, section 2.1.1 ("the distribution of the pictures is assumed to be a very simple one"); Turk
and Pentland 1991, "Eigenfaces for recognition". Here the distribution is one normal distribution. Its axes are the
eigenvectors eᵢ of the covariance of all pixels: pictures themselves, the *eigenfaces*. Of a photograph x

    zᵢ = eᵢ·(x − mean) / σᵢ          is its code, and
    x̂ = mean + Σᵢ zᵢ σᵢ eᵢ          is what k components keep of it,

σᵢ² being the variance along eᵢ. No other k directions lose less of ‖x − x̂‖². For z ~ N(0, I), x̂ is a draw from the
fitted distribution: a face, but one that is laid over others, since half of one and half of another is no face.

Both are linear maps, so encoder and decoder are one dense layer each, and all that works with a network works with
them. Nothing is learnt step by step: scikit-learn finds the weights in one pass over the photographs, with
``IncrementalPCA``, which holds a thousand of them at a time.

Read next: ``vae.py``, where both maps may bend; ``eigenfaces.py`` for the pictures.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.models import check_image_size
from keras_faces.training.encoding import Autoencoder
from keras_faces.training.face_model import FaceModel

IMAGE_SIZE = 32
PRINTED: dict = {}  # the sources print no layers
AT_ONCE = 1000  # photographs; more components want more of them


def encoder(image_size: int = IMAGE_SIZE, latent_dim: int = 64) -> keras.Sequential:
    """Image (image_size, image_size, 3) to its code (latent_dim,)."""
    stages = [
        layers.Input((image_size, image_size, 3)),
        layers.Flatten(),  # 3072
        layers.Dense(latent_dim, dtype="float32"),  # 64: eᵢ/σᵢ in the columns
    ]
    return keras.Sequential(stages, name="encoder")


def decoder(image_size: int = IMAGE_SIZE, latent_dim: int = 64) -> keras.Sequential:
    """Code (latent_dim,) to an image (image_size, image_size, 3), in [0, 1] or a little beyond."""
    stages = [
        layers.Input((latent_dim,)),
        layers.Dense(image_size * image_size * 3, dtype="float32"),  # 3072: σᵢeᵢ in the rows, the mean as bias
        layers.Reshape((image_size, image_size, 3), dtype="float32"),
    ]
    return keras.Sequential(stages, name="generator")


@keras.saving.register_keras_serializable("keras_faces")
class PCA(Autoencoder):
    """Principal components as an encoder and a decoder.

    Parameters
    ----------
    generator, encoder
        From :func:`decoder` and :func:`encoder`.
    rule
        ``value_range``, ``seed``: see :class:`Autoencoder`.
    """

    NUMBERS = ("reconstruction_loss", "explained_variance")

    def __init__(self, generator: keras.Model, *, encoder: keras.Model, **rule: Any) -> None:
        super().__init__(generator, encoder=encoder, **{"value_range": (0.0, 1.0), **rule})

    def compile(self, *optimizers: Any, **kwargs: Any) -> None:
        """Keras's own ``compile``. Its optimizer is never used."""
        if optimizers:
            raise ValueError("pca has no steps for an optimizer to make: leave --stages out.")
        FaceModel.compile(self, optimizer=keras.optimizers.SGD(0.0), **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        return {}

    # ---------------------------------------------------------------------------------------------- fitting

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        initial_epoch: int = 0,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """All photographs once, whatever ``epochs`` says: another look at them would change nothing.

        Callbacks see it as one epoch and as the last of its batches, so that pictures, log and checkpoint are written.

        Parameters
        ----------
        x
            ``faces.batches(...)``, or images, uint8 (n, H, W, 3).
        y, kwargs
            Not used.

        Raises
        ------
        ValueError
            For fewer photographs than components.
        """
        images = getattr(x, "images", x)
        last = (len(x) if images is not x else len(images) // (batch_size or 32)) - 1
        watching = keras.callbacks.CallbackList(callbacks, add_history=True, model=self)
        watching.on_train_begin()
        logs = {}
        if initial_epoch == 0:
            watching.on_epoch_begin(0)
            watching.on_train_batch_begin(max(0, last))
            logs = self.take_components(images, silent=verbose == 0)
            watching.on_train_batch_end(max(0, last), logs)
            watching.on_epoch_end(0, logs)
        watching.on_train_end(logs)
        return self.history

    def take_components(self, images: Any, silent: bool = False) -> dict[str, float]:
        """Fit scikit-learn's ``IncrementalPCA`` to images, uint8 (n, H, W, 3), and write it into both layers.

        Returns
        -------
        ``reconstruction_loss``, the mean of ‖x − x̂‖² over the images, with pixels in [0, 1]; and
        ``explained_variance``, the share of the variance that the components keep, 0 to 1.
        """
        from sklearn.decomposition import IncrementalPCA
        from tqdm import tqdm

        if len(images) < self.latent_dim:
            raise ValueError(
                f"{len(images)} faces span fewer than {self.latent_dim} components: take more faces, or "
                f"--option latent_dim={max(1, len(images) // 2)}."
            )
        fitted = IncrementalPCA(self.latent_dim)
        for part in tqdm(parts(len(images), self.latent_dim), desc="components", unit="part", disable=silent):
            fitted.partial_fit(self.rows(images[part]))
        self.write(fitted.mean_, fitted.components_, np.sqrt(fitted.explained_variance_))
        kept = np.sum(fitted.singular_values_**2) / len(images)
        return {
            "reconstruction_loss": float(np.sum(fitted.var_) - kept),
            "explained_variance": float(np.sum(fitted.explained_variance_ratio_)),
        }

    def rows(self, images: np.ndarray) -> np.ndarray:
        """Images, uint8 (n, H, W, 3), as rows of pixels in ``value_range``, float64 (n, H·W·3)."""
        low, high = self.value_range
        return np.asarray(images, "float64").reshape(len(images), -1) * ((high - low) / 255.0) + low

    def write(self, mean: np.ndarray, components: np.ndarray, deviations: np.ndarray) -> None:
        """Put the mean (n,), unit vectors (k, n) and standard deviations (k,) into encoder and decoder."""
        there = deviations > 1e-6 * max(deviations.max(), 1e-6)  # where all faces are alike, a code says nothing
        inverse = np.where(there, 1.0 / np.where(there, deviations, 1.0), 0.0)
        into, out_of = self.encoder.layers[-1], self.generator.layers[0]
        out_of.kernel.assign((deviations[:, None] * components).astype("float32"))
        out_of.bias.assign(mean.astype("float32"))
        into.kernel.assign((components * inverse[:, None]).T.astype("float32"))
        into.bias.assign((-(components @ mean) * inverse).astype("float32"))

    # ------------------------------------------------------------------------------------------- what it found

    def components(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The mean face (H, W, 3), the eigenfaces, unit vectors (k, H, W, 3), and the deviations σ (k,), in float32.

        Mean and eigenfaces are in the model's pixels, those of ``value_range``.
        """
        shape = self.generator.output_shape[1:]
        scaled = ops.convert_to_numpy(self.generator.layers[0].kernel)
        deviations = np.linalg.norm(scaled, axis=1)
        unit = scaled / np.maximum(deviations, 1e-12)[:, None]
        mean = ops.convert_to_numpy(self.generator.layers[0].bias)
        return mean.reshape(shape), unit.reshape(-1, *shape), deviations

    def errors(self, images: np.ndarray) -> np.ndarray:
        """What is lost with 0, 1, ..., k components: the mean of ‖x − x̂‖² over images, float64 (k + 1,).

        By Pythagoras: each component takes the square of its own coordinate away, whichever the others are.
        """
        codes = self.encode(images).astype("float64")
        mean, _, deviations = self.components()
        whole = np.mean(np.sum((self.rows(images) - mean.reshape(-1)) ** 2, axis=1))
        taken = np.mean((codes * deviations) ** 2, axis=0)
        return whole - np.concatenate([[0.0], np.cumsum(taken)])


def parts(count: int, components: int) -> list[slice]:
    """Slices of ``count`` photographs, each of at least as many as ``components``."""
    size = max(AT_ONCE, 2 * components)
    starts = list(range(0, max(1, count - components + 1), size))
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], count], strict=True)]


def build(image_size: int = IMAGE_SIZE, latent_dim: int = 64, seed: int = 0, **rule: Any) -> PCA:
    """PCA, compiled.

    Parameters
    ----------
    image_size
        Any from 8 on.
    latent_dim
        How many components.
    rule
        ``value_range``: see :class:`Autoencoder`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, and more components than an image has numbers.
    """
    check_image_size("pca", image_size, multiple=1, smallest=8)
    if not 1 <= latent_dim <= 3 * image_size**2:
        raise ValueError(f"latent_dim={latent_dim}: from 1 to {3 * image_size**2} components.")
    model = PCA(decoder(image_size, latent_dim), encoder=encoder(image_size, latent_dim), seed=seed, name="pca", **rule)
    model.compile()
    return model
