"""Is it the same person? Faces of known people are looked up in a gallery, and the first hit counts.

Source: the dissertation on conditional face synthesis, section 5.3.2, tables 5.2 and 5.3 (IP-GAN): of each person six
pictures are drawn, one goes into the gallery, five are looked up; generated pictures of the person are looked up in the
same gallery. The score is the rank-1 (top-1) rate: the share of probes whose most similar gallery picture shows the
same person. Similarity is the cosine of the features. Real faces reach 87.39 % and 97.47 % there, which bounds what
generated ones can reach: measure both.

The rate falls as the gallery grows: compare only at the same number of people.

What to read next: ``features/recogniser.py`` (features of people), ``neighbours.py`` (the nearest training images).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.metrics.intervals import BOOTSTRAP, mean_interval
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, checked_features, features_of, names_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images

_AT_ONCE = 1024  # probes compared with the whole gallery in one product


def identity_retrieval(
    gallery: Images,
    gallery_ids: np.ndarray,
    probes: Images,
    probe_ids: np.ndarray,
    features: str | Features,
    *,
    seed: int = 0,
    split: str = "not stated",
    batch_size: int = 64,
    progress: bool = True,
) -> Score:
    """Rank-1 rate of probes in a gallery.

    Parameters
    ----------
    gallery
        Real images, uint8 RGB: an array (N, H, W, 3), a `Faces`, or an iterable of batches; one a person in the source.
    gallery_ids
        Who is on each, (N,): numbers or names.
    probes
        Images to look up, generated or real, (M, H, W, 3). None of them may be in the gallery.
    probe_ids
        Who is to be on each, (M,).
    features
        What tells people apart: "file:FOLDER" of a recogniser, "classifier:RUN" of people, or a `Features` object.
    seed, split, batch_size, progress
        As in ``fid``.

    Returns
    -------
    Score
        "identity_retrieval", from 0 to 1; ``n_real`` is the size of the gallery, ``n_fake`` the number of probes.

    Raises
    ------
    ValueError
        Numbers of images and identities differ, or a probe shows somebody who is not in the gallery.
    """
    features = as_features(features)
    gallery_features = features_of(gallery, features, batch_size, "real", seed, progress)
    probe_features = features_of(probes, features, batch_size, "fake", seed, progress)
    return identity_retrieval_from_features(
        gallery_features, gallery_ids, probe_features, probe_ids, features, seed=seed, split=split
    )


def identity_retrieval_from_features(
    gallery_features: np.ndarray,
    gallery_ids: np.ndarray,
    probe_features: np.ndarray,
    probe_ids: np.ndarray,
    features: str | Features = "given features",
    *,
    seed: int = 0,
    split: str = "not stated",
) -> Score:
    """`identity_retrieval` of features that are there already, (N, D) and (M, D)."""
    gallery = _directions(checked_features(gallery_features, "gallery"))
    probes = _directions(checked_features(probe_features, "probe", like=gallery))
    gallery_ids, probe_ids = _ids(gallery_ids, gallery, "gallery"), _ids(probe_ids, probes, "probes")
    if strangers := sorted(set(probe_ids.tolist()) - set(gallery_ids.tolist()), key=str):
        raise ValueError(
            f"{len(strangers)} people among the probes, such as {strangers[0]!r}, are not in the gallery and cannot be "
            "found there: add them, or leave their probes out (`gallery_and_probes` splits so)."
        )
    nearest = np.concatenate(
        [(probes[start : start + _AT_ONCE] @ gallery.T).argmax(axis=1) for start in range(0, len(probes), _AT_ONCE)]
    )
    hits = gallery_ids[nearest] == probe_ids
    people = len(np.unique(gallery_ids))
    return Score(
        "identity_retrieval",
        hits.mean(),
        *mean_interval(hits, seed, share=True),
        n_real=len(gallery),
        n_fake=len(probes),
        split=split,
        seed=seed,
        interval=f"{BOOTSTRAP} over probes; rank 1 among {people:,} people, by chance 1/{people:,}",
        **names_of(features),
    )


def gallery_and_probes(identities: np.ndarray, pictures: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A gallery of one picture a person and the others as probes, as in section 5.3.2.

    Parameters
    ----------
    identities
        Who is on each picture, (N,); negative numbers are pictures of nobody known, and are left out.
    pictures
        Pictures of a person that are drawn: one for the gallery, the rest probes. Who has fewer is left out.
    seed
        Of the draw.

    Returns
    -------
    Numbers of the gallery's pictures, int64 (people,), and of the probes', int64 (people * (pictures - 1),).

    Raises
    ------
    ValueError
        If ``pictures`` is below 2, or fewer than two people have as many.
    """
    identities = np.asarray(identities)
    if pictures < 2:
        raise ValueError(
            f"pictures={pictures}: one goes into the gallery, and at least one is looked up; take 2 or more."
        )
    who, counts = np.unique(identities, return_counts=True)
    if np.issubdtype(identities.dtype, np.number):
        who, counts = who[who >= 0], counts[who >= 0]
    if (counts >= pictures).sum() < 2:
        most = np.sort(counts)[-2] if len(counts) > 1 else 0
        raise ValueError(f"fewer than two people have {pictures} pictures; two have {most}: take pictures={most}.")
    random = np.random.default_rng(seed)
    drawn = [random.permutation(np.flatnonzero(identities == person))[:pictures] for person in who[counts >= pictures]]
    return np.array([few[0] for few in drawn]), np.concatenate([few[1:] for few in drawn])


def _directions(features: np.ndarray) -> np.ndarray:
    """Features as vectors of length 1, so that a product is a cosine."""
    features = features.astype("float64")
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def _ids(ids: np.ndarray, features: np.ndarray, side: str) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.shape != (len(features),):
        raise ValueError(
            f"{side}: {len(features)} images with identities of shape {ids.shape}; give one for each image."
        )
    return ids
