"""Identity retrieval: faces of known people are looked up in a gallery, and the first hit counts.

Source: the dissertation on conditional face synthesis, section 5.3.2, tables 5.2 and 5.3 (IP-GAN): of six pictures of
each person one goes into the gallery and five are looked up; generated pictures are looked up in the same gallery. The
score is the rank-1 rate by the cosine of the features. Real faces reach 87.39 % and 97.47 % there, which bounds what
generated ones can reach. The rate falls as the gallery grows: compare at the same number of people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.metrics.intervals import BOOTSTRAP, mean_interval
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, both_features, checked_features, names_of, unit_rows

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
    gallery, probes : ndarray of uint8, shape (N, H, W, 3) and (M, H, W, 3), Faces, or iterable of batches
        Real images, one per person in the source, and the images to look up, generated or real; no image in both.
    gallery_ids, probe_ids : ndarray of int or str, shape (N,) and (M,)
        Who is on each.
    features : str or Features
        "file:FOLDER" of a recogniser, "classifier:RUN" of people, or an object.
    seed, split, batch_size, progress
        As in ``fid``.

    Returns
    -------
    Score
        "identity_retrieval", from 0 to 1; ``n_real`` is the size of the gallery, ``n_fake`` the number of probes.

    Raises
    ------
    ValueError
        If the numbers of images and identities differ, or a probe shows somebody who is not in the gallery.
    """
    features = as_features(features)
    found = both_features(gallery, probes, features, batch_size, seed, progress)
    return identity_retrieval_from_features(
        found[0], gallery_ids, found[1], probe_ids, features, seed=seed, split=split
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
    """`identity_retrieval` of computed features, (N, D) and (M, D); ``features`` names them in the result."""
    gallery = unit_rows(checked_features(gallery_features, "gallery"))
    probes = unit_rows(checked_features(probe_features, "probe", like=gallery))
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
    """Draw a gallery of one picture per person, and the probes, as in section 5.3.2.

    Parameters
    ----------
    identities : ndarray, shape (N,)
        Who is on each picture; pictures with negative numbers are left out.
    pictures : int
        Pictures per person: one for the gallery, the rest probes. People with fewer are left out.
    seed : int

    Returns
    -------
    gallery, probes : ndarray of int64, shape (people,) and (people * (pictures - 1),)
        Indices of the pictures.

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
    people, counts = np.unique(identities, return_counts=True)
    if np.issubdtype(identities.dtype, np.number):
        people, counts = people[people >= 0], counts[people >= 0]
    if (counts >= pictures).sum() < 2:
        enough = np.sort(counts)[-2] if len(counts) > 1 else 0
        raise ValueError(f"fewer than two people have {pictures} pictures; two have {enough}: take pictures={enough}.")
    random = np.random.default_rng(seed)
    drawn = [
        random.permutation(np.flatnonzero(identities == person))[:pictures] for person in people[counts >= pictures]
    ]
    return np.array([indices[0] for indices in drawn]), np.concatenate([indices[1:] for indices in drawn])


def _ids(ids: np.ndarray, features: np.ndarray, side: str) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.shape != (len(features),):
        raise ValueError(
            f"{side}: {len(features)} images with identities of shape {ids.shape}; give one for each image."
        )
    return ids
