"""Sets of images, and their features batch by batch.

A set is an array uint8 (N, H, W, 3), a `Faces`, or any iterable of batches, so that nobody has to hold 200,000 images
in memory. Both sides of a score go through here, so both are checked, resized and described alike.

What to read next: ``features/base.py`` (what turns images into numbers), ``moments.py`` (where the numbers go).
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

FIT_ON = 2000  # real images that features may learn from, such as PCA's directions


def as_features(spec: str | Features) -> Features:
    """The features that a name such as "pixels" or "file:PATH" stands for; an object stays as it is."""
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
    """The images of a set in batches, each uint8 (n, H, W, 3) and checked.

    Parameters
    ----------
    images
        An array or array-like (N, H, W, 3), a `Faces`, or an iterable of batches; of a batch that is a tuple (images,
        labels) the images count.
    batch_size
        Images a batch, where the set is not in batches already.
    side
        "real" or "fake", for messages.

    Raises
    ------
    TypeError
        The set is a path or nothing that holds images.
    ValueError
        A batch is not uint8 (n, H, W, 3), or the images have several sizes, or there is none.
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
    """Features of a set, batch by batch: float32 (n, D), all finite.

    The real side goes first: features that learn from real images (the PCA of "pixels") are fitted on up to `FIT_ON`
    of them, drawn by ``seed``; of an iterable of batches, on the first ones.

    Raises
    ------
    ValueError
        As `image_batches`, and where a feature is not finite.
    """
    batches = image_batches(images, batch_size, side)
    if side == "real":
        sample, batches = _some(images, batches, seed)
        features.fit(sample)
    whole = getattr(images, "images", images)
    total = len(whole) if hasattr(whole, "shape") else None
    done = 0
    with tqdm(total=total, desc=f"Features of {side}", unit=" images", delay=1, disable=not progress) as bar:
        for batch in batches:
            numbers = np.asarray(features(batch, batch_size=batch_size))
            if not np.isfinite(numbers).all():
                index = done + int(np.flatnonzero(~np.isfinite(numbers).all(axis=1))[0])
                raise ValueError(f"{features.name} gives no finite numbers for {side} image {index}.")
            yield numbers
            done += len(batch)
            bar.update(len(batch))


def _some(images: Images, batches: Iterator[np.ndarray], seed: int) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    """Up to `FIT_ON` images, and all batches, those looked at included."""
    whole = getattr(images, "images", images)
    if hasattr(whole, "shape") and len(whole) > FIT_ON:
        first = next(batches)  # checks the set before it is drawn from
        numbers = np.random.default_rng(seed).choice(len(whole), FIT_ON, replace=False)
        return np.asarray(whole[np.sort(numbers)]), chain([first], batches)
    kept = []
    for batch in batches:
        kept.append(batch)
        if sum(map(len, kept)) >= FIT_ON:
            break
    return np.concatenate(kept)[:FIT_ON], chain(kept, batches)


def features_of(
    images: Images,
    features: str | Features,
    batch_size: int = 64,
    side: str = "real",
    seed: int = 0,
    progress: bool = True,
) -> np.ndarray:
    """Features of a whole set: float32 (N, D). 200,000 images of 2048 features take 1.6 GB.

    Give both sides the same features *object*, the real side first; a name makes new, unfitted features each time.
    See `feature_batches` for the parameters.
    """
    batches = feature_batches(images, as_features(features), batch_size, side, seed, progress)
    return np.concatenate(list(batches)).astype("float32", copy=False)


def both_features(
    real: Images, fake: Images, features: Features, batch_size: int, seed: int, progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Features of both sides, float32 (N, D) and (M, D)."""
    real_features = features_of(real, features, batch_size, "real", seed, progress)
    return real_features, features_of(fake, features, batch_size, "fake", seed, progress)


def names_of(features: str | Features) -> dict[str, str]:
    """``features`` and ``resize`` as a `Score` carries them; ready features have only the name that they are given."""
    if isinstance(features, str):
        return {"features": features, "resize": "not stated"}
    return {"features": features.name, "resize": features.resize}


def checked_features(numbers: np.ndarray, side: str, like: np.ndarray | None = None) -> np.ndarray:
    """The features as an array (N, D), or an error that says what is wrong with them."""
    numbers = np.asarray(numbers)
    if numbers.ndim != 2 or numbers.dtype.kind not in "biuf":
        raise ValueError(f"{side} features must be real numbers (N, D), not {numbers.dtype} {numbers.shape}.")
    if len(numbers) < 2:
        raise ValueError(f"a score needs two {side} images or more; here is {len(numbers)}.")
    if not np.isfinite(numbers).all():
        index = int(np.flatnonzero(~np.isfinite(numbers).all(axis=1))[0])
        raise ValueError(f"the {side} features of image {index} are not finite.")
    if like is not None and like.shape[1] != numbers.shape[1]:
        raise ValueError(
            f"the real images have {like.shape[1]} features, the {side} ones {numbers.shape[1]}: use the same features."
        )
    return numbers
