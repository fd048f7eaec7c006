"""Sets of images, and their features batch by batch.

A set is an array uint8 (N, H, W, 3), a `Faces`, or an iterable of batches, so that 200,000 images need not fit in
memory. Both sides of a score are checked, resized and described here. See also ``features/base.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    from keras_faces.data.faces import Faces
    from keras_faces.metrics.features.base import Features

    Images = np.ndarray | Faces | Iterable[np.ndarray]

FIT_ON = 2000  # real images that features are fitted on, such as those of "pixels"


def as_features(spec: str | Features) -> Features:
    """The features of a name such as "pixels" or "file:PATH"; an object is returned as it is."""
    if isinstance(spec, str):
        from keras_faces.metrics import features

        return features.get(spec)
    if not hasattr(spec, "name"):
        raise TypeError(
            f'features must be a name such as "pixels" or a Features object, not {type(spec).__name__}; numbers that '
            "are there already go to the functions ..._from_features."
        )
    return spec


def image_batches(images: Images, batch_size: int = 64, side: str = "real") -> Iterator[np.ndarray]:
    """Yield the images of a set in checked batches, uint8 (n, H, W, 3); of batches (images, labels) the images.

    ``batch_size`` is for a set that is not in batches already; ``side``, "real" or "fake", for messages.

    Raises
    ------
    TypeError
        If the set is a path or holds no images.
    ValueError
        If a batch is not uint8 (n, H, W, 3), the images have several sizes, or there is none.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} must be 1 or more.")
    images = getattr(images, "images", images)
    if isinstance(images, (str, Path)):
        raise TypeError(f"the {side} images are named, not loaded: give kf.data.load({str(images)!r}).")
    if not hasattr(images, "__iter__") and not hasattr(images, "shape"):
        raise TypeError(f"the {side} images must be an array, a Faces or batches, not {type(images).__name__}.")
    if hasattr(images, "shape"):
        _check(images, side)
        batches = (np.asarray(images[i : i + batch_size]) for i in range(0, len(images), batch_size))
    else:
        batches = (np.asarray(batch[0] if isinstance(batch, tuple) else batch) for batch in images)
    size = None
    for batch in batches:
        _check(batch, side)
        size = size or batch.shape[1:]
        if batch.shape[1:] != size:
            raise ValueError(f"the {side} images have several sizes: {size[:2]} and {batch.shape[1:3]} (H, W).")
        if len(batch):
            yield batch
    if size is None:
        raise ValueError(f"there are no {side} images.")


def _check(images: Any, side: str) -> None:
    shape = tuple(images.shape)
    if len(shape) != 4 or shape[3] != 3:
        raise ValueError(f"{side} images must have the shape (N, H, W, 3), not {shape}; one image is image[None].")
    if images.dtype != np.uint8:
        raise ValueError(
            f"{side} images must be uint8 from 0 to 255, not {images.dtype}: scores of other ranges mean nothing. "
            "`model.sample` and `kf.data.load` give uint8; from [-1, 1] it is "
            "((images + 1) * 127.5).round().clip(0, 255).astype('uint8')."
        )


def feature_batches(
    images: Images,
    features: Features,
    batch_size: int = 64,
    side: str = "real",
    seed: int = 0,
    progress: bool = True,
) -> Iterator[np.ndarray]:
    """Yield the features of a set, a batch (n, D) at a time. The real side must come first.

    Features that are fitted (the PCA of "pixels") are fitted on up to `FIT_ON` real images, drawn by ``seed``; of an
    iterable of batches, on the first ones.

    Parameters
    ----------
    images, batch_size, side
        As in `image_batches`.
    features : Features
    seed : int
    progress : bool
        Show a bar if it takes longer than a second.

    Raises
    ------
    ValueError
        As `image_batches`, and for a feature that is not finite.
    """
    batches = image_batches(images, batch_size, side)
    if side == "real":
        sample, batches = _some(images, batches, seed)
        features.fit(sample)
    done = 0
    for batch in _with_bar(images, batches, f"Features of {side}", progress):
        described = np.asarray(features(batch, batch_size=batch_size))
        if not np.isfinite(described).all():
            index = done + int(np.flatnonzero(~np.isfinite(described).all(axis=1))[0])
            raise ValueError(f"{features.name} gives no finite numbers for {side} image {index}.")
        yield described
        done += len(batch)


def _some(images: Images, batches: Iterator[np.ndarray], seed: int) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    """Up to `FIT_ON` images, and all batches, those already read included."""
    whole = getattr(images, "images", images)
    if hasattr(whole, "shape") and len(whole) > FIT_ON:
        first = next(batches)  # checks the set before it is drawn from
        indices = np.random.default_rng(seed).choice(len(whole), FIT_ON, replace=False)
        return np.asarray(whole[np.sort(indices)]), chain([first], batches)
    kept = []
    for batch in batches:
        kept.append(batch)
        if sum(map(len, kept)) >= FIT_ON:
            break
    return np.concatenate(kept)[:FIT_ON], chain(kept, batches)


def _with_bar(images: Images, batches: Iterable[np.ndarray], title: str, progress: bool) -> Iterator[np.ndarray]:
    """The batches, under a progress bar that counts images."""
    whole = getattr(images, "images", images)
    total = len(whole) if hasattr(whole, "shape") else None
    with tqdm(total=total, desc=title, unit=" images", delay=1, disable=not progress) as bar:
        for batch in batches:
            yield batch
            bar.update(len(batch))


def features_of(
    images: Images,
    features: str | Features,
    batch_size: int = 64,
    side: str = "real",
    seed: int = 0,
    progress: bool = True,
) -> np.ndarray:
    """Features of a whole set, float32 (N, D); parameters and errors as in `feature_batches`.

    Give both sides the same `Features` object, the real side first; a name makes new, unfitted features each time.
    200,000 images of 2048 features take 1.6 GB.
    """
    batches = feature_batches(images, as_features(features), batch_size, side, seed, progress)
    return np.concatenate(list(batches)).astype("float32", copy=False)


def both_features(
    real: Images, fake: Images, features: Features, batch_size: int, seed: int, progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Features of both sides, float32 (N, D) and (M, D)."""
    real_features = features_of(real, features, batch_size, "real", seed, progress)
    return real_features, features_of(fake, features, batch_size, "fake", seed, progress)


def probabilities_of(images: Images, features: Features, batch_size: int, progress: bool) -> np.ndarray:
    """Class probabilities (N, C) of generated images, by features that know classes."""
    batches = _with_bar(images, image_batches(images, batch_size, "fake"), "Classes of fake", progress)
    return np.concatenate([np.asarray(features.probabilities(batch, batch_size=batch_size)) for batch in batches])


def names_of(features: str | Features) -> dict[str, str]:
    """``features`` and ``resize`` of a `Score`; computed features have only the name that the caller gives them."""
    if isinstance(features, str):
        return {"features": features, "resize": "not stated"}
    return {"features": features.name, "resize": features.resize}


def checked_features(features: np.ndarray, side: str, like: np.ndarray | None = None) -> np.ndarray:
    """Check features (N, D): at least two rows, real, finite, and as many columns as those of ``like``.

    Raises
    ------
    ValueError
        If they are not.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.dtype.kind not in "biuf":
        raise ValueError(f"{side} features must be real numbers (N, D), not {features.dtype} {features.shape}.")
    if len(features) < 2:
        raise ValueError(f"a score needs two {side} images or more; here is {len(features)}.")
    if not np.isfinite(features).all():
        index = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
        raise ValueError(f"the {side} features of image {index} are not finite.")
    if like is not None and like.shape[1] != features.shape[1]:
        raise ValueError(
            f"the real images have {like.shape[1]} features, the {side} ones {features.shape[1]}: "
            "use the same features."
        )
    return features


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Features (N, D) scaled to length 1, float64, so that a product of two rows is their cosine."""
    features = features.astype("float64")
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
