"""pca: a face is the mean face plus a weighted sum of eigenfaces.

Source: the dissertation, section 2.1.1 ("the distribution of the pictures is assumed to be a very simple one"); Turk
and Pentland 1991, "Eigenfaces for recognition". The distribution here is one normal distribution. Its axes are the
eigenvectors eᵢ of the covariance of all pixels, images themselves: the *eigenfaces*. Of a photograph x

    zᵢ = eᵢ·(x − mean) / σᵢ          is its code, and
    x̂ = mean + Σᵢ zᵢ σᵢ eᵢ          is what k components keep of it,

σᵢ² being the variance along eᵢ. No other k directions lose less of ‖x − x̂‖². For z ~ N(0, I), x̂ is a sample of the
fitted distribution: faces laid over each other, since half of one and half of another is no face.

Both maps are linear, so encoder and decoder are one dense layer each. There are no training steps: scikit-learn's
``IncrementalPCA`` finds the weights in one pass, a thousand photographs at a time.

See also: ``vae.py``, where both maps are nonlinear; ``figures/eigenfaces.py``, the pictures.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.models import check_image_size
from keras_faces.training.base import FaceModel
from keras_faces.training.encoder import Autoencoder

IMAGE_SIZE = 32
AT_ONCE = 1000  # photographs in memory; more components need more of them


def encoder(image_size: int = IMAGE_SIZE, latent_dim: int = 64) -> keras.Sequential:
    """Return the encoder, from an image (image_size, image_size, 3) to its code (latent_dim,)."""
    stages = [
        layers.Input((image_size, image_size, 3)),
        layers.Flatten(),  # 3072
        layers.Dense(latent_dim, dtype="float32"),  # 64: eᵢ/σᵢ in the columns
    ]
    return keras.Sequential(stages, name="encoder")


def decoder(image_size: int = IMAGE_SIZE, latent_dim: int = 64) -> keras.Sequential:
    """Return the decoder, from a code (latent_dim,) to an image (image_size, image_size, 3), about in [0, 1]."""
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
    options
        ``value_range``, ``seed``: see :class:`Autoencoder`.
    """

    METRICS = ("reconstruction_loss", "explained_variance")

    def __init__(self, generator: keras.Model, *, encoder: keras.Model, **options: Any) -> None:
        super().__init__(generator, encoder=encoder, **{"value_range": (0.0, 1.0), **options})

    def compile(self, *optimizers: Any, **kwargs: Any) -> None:
        """Compile with an optimizer that is never used; raise a ``ValueError`` if one is given."""
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
        """Fit to all photographs once, whatever ``epochs`` is: a second pass would change nothing.

        Callbacks get one epoch and the last of its batches, so that images, log and checkpoint are written.

        Parameters
        ----------
        x : Batches or ndarray of uint8, shape (n, H, W, 3)
            ``faces.batches(...)``, or images.
        y, epochs, kwargs
            Not used. The others are those of ``keras.Model.fit``.

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
        """Fit ``IncrementalPCA`` to images uint8 (n, H, W, 3) and write it into both layers.

        Returns
        -------
        dict of float
            ``reconstruction_loss``, the mean of ‖x − x̂‖² with pixels in ``value_range``, and ``explained_variance``,
            the share of the variance that the components keep, 0 to 1.
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
        """Return images uint8 (n, H, W, 3) as rows of pixels in ``value_range``, float64 (n, H·W·3)."""
        low, high = self.value_range
        return np.asarray(images, "float64").reshape(len(images), -1) * ((high - low) / 255.0) + low

    def write(self, mean: np.ndarray, components: np.ndarray, deviations: np.ndarray) -> None:
        """Set both layers' weights from the mean (n,), unit vectors (k, n) and standard deviations (k,)."""
        used = deviations > 1e-6 * max(deviations.max(), 1e-6)  # a direction without variance gets the code 0
        inverse = np.where(used, 1.0 / np.where(used, deviations, 1.0), 0.0)
        to_code, to_image = self.encoder.layers[-1], self.generator.layers[0]
        to_image.kernel.assign((deviations[:, None] * components).astype("float32"))
        to_image.bias.assign(mean.astype("float32"))
        to_code.kernel.assign((components * inverse[:, None]).T.astype("float32"))
        to_code.bias.assign((-(components @ mean) * inverse).astype("float32"))

    # ------------------------------------------------------------------------------------------- what it found

    def components(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the mean face (H, W, 3), the eigenfaces as unit vectors (k, H, W, 3), and their deviations σ (k,).

        All float32; mean and eigenfaces in the units of ``value_range``.
        """
        shape = self.generator.output_shape[1:]
        scaled = ops.convert_to_numpy(self.generator.layers[0].kernel)
        deviations = np.linalg.norm(scaled, axis=1)
        unit = scaled / np.maximum(deviations, 1e-12)[:, None]
        mean = ops.convert_to_numpy(self.generator.layers[0].bias)
        return mean.reshape(shape), unit.reshape(-1, *shape), deviations

    def errors(self, images: np.ndarray) -> np.ndarray:
        """Return the mean of ‖x − x̂‖² over images uint8 (n, H, W, 3) with 0, 1, ..., k components, float64 (k + 1,).

        By Pythagoras, each component takes the square of its own coordinate away.
        """
        codes = self.encode(images).astype("float64")
        mean, _, deviations = self.components()
        whole = np.mean(np.sum((self.rows(images) - mean.reshape(-1)) ** 2, axis=1))
        taken = np.mean((codes * deviations) ** 2, axis=0)
        return whole - np.concatenate([[0.0], np.cumsum(taken)])


def parts(count: int, components: int) -> list[slice]:
    """Return slices of ``count`` photographs, each of at least as many as ``components``."""
    size = max(AT_ONCE, 2 * components)
    starts = list(range(0, max(1, count - components + 1), size))
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], count], strict=True)]


def build(image_size: int = IMAGE_SIZE, latent_dim: int = 64, seed: int = 0, **options: Any) -> PCA:
    """Return PCA, compiled.

    Parameters
    ----------
    image_size : int
        Any from 8 on.
    latent_dim : int
        Number of components.
    options
        ``value_range``: see :class:`Autoencoder`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, and more components than an image has numbers.
    """
    check_image_size("pca", image_size, multiple=1, smallest=8)
    if not 1 <= latent_dim <= 3 * image_size**2:
        raise ValueError(f"latent_dim={latent_dim}: from 1 to {3 * image_size**2} components.")
    model = PCA(
        decoder(image_size, latent_dim), encoder=encoder(image_size, latent_dim), seed=seed, name="pca", **options
    )
    model.compile()
    return model
