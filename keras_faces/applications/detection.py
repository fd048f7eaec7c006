"""Detection of adversarial examples by IP-GAN: a picture that does not fit its own reconstruction was manipulated.

Source: the dissertation, section 5.4.5, figure 5.13 and table 5.4. x₁ + r looks like x₁ and has the features of x₂; G
reads the features, so its reconstruction shows x₂. An SVM on the textures (LBP) of picture and reconstruction decides
whether the two fit. Not printed there, and decided here: the SVM reads both textures and their difference, and all
pictures of one pair of people stay in one fold of the cross-validation. See also ``adversarial_examples.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.adversarial_examples import attack
from keras_faces.applications.transfer import check_model, rows_figure

if TYPE_CHECKING:
    import pandas

    from keras_faces.data.faces import Faces
    from keras_faces.figures.figure import Figure

THRESHOLDS = (1.0, 0.8, 0.6, 0.4)
PRINTED = {1.0: 0.7673, 0.8: 0.8258, 0.6: 0.8718, 0.4: 0.9241}  # table 5.4


def pairs_of_people(faces: Faces, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw pictures of two different people each, no picture twice: two arrays uint8 (n, H, W, 3), n <= ``count``.

    Raises
    ------
    ValueError
        If the identities are unknown, or there are fewer than two pairs of different people.
    """
    if faces.identities is None:
        raise ValueError(f"{faces.source}: it is not known who is on these pictures. A folder a person tells it.")
    order = np.random.default_rng(seed).permutation(len(faces))
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    pairs = pairs[faces.identities[pairs[:, 0]] != faces.identities[pairs[:, 1]]][:count]
    if len(pairs) < 2:
        raise ValueError(f"{faces.source}: two pairs of different people are needed, here are {len(pairs)}.")
    return np.asarray(faces.images[pairs[:, 0]]), np.asarray(faces.images[pairs[:, 1]])


def table(
    model: Any,
    first: np.ndarray,
    second: np.ndarray,
    thresholds: Sequence[float] = THRESHOLDS,
    steps: int = 40,
    seed: int = 0,
    folds: int = 10,
) -> tuple[pandas.DataFrame, np.ndarray]:
    """Measure table 5.4: each picture of a pair attacks the other, and the SVM finds the manipulated ones.

    Parameters
    ----------
    model : IPGAN
        Its recogniser is attacked.
    first, second : ndarray of uint8, shape (n, H, W, 3)
        Pictures of different people: 2n originals, 2n adversarial examples.
    thresholds : sequence of float
        Each θ, in (0, 4).
    steps, seed, folds : int
        Steps of the attack; seed and folds of the cross-validation.

    Returns
    -------
    table : DataFrame
        One row per θ: ``attacks`` (pictures whose distance is not below θ already), ``got through`` (share of the
        attacks that fooled the recogniser), ``r, grey levels`` (root mean square), ``accuracy`` of the SVM (0.5 by
        chance), ``± over folds`` (its standard deviation) and ``source`` (the printed accuracy).
    examples : ndarray of uint8, shape (4, 6, H, W, 3)
        Of the last θ, as figure 5.13: x₁, x₁ + r, x₂, and their reconstructions.
    """
    import pandas

    check_model(model)
    originals, targets = np.concatenate([first, second]), np.concatenate([second, first])
    pairs = np.tile(np.arange(len(first)), 2)
    original_textures = pair_textures(originals, model.reconstruct(originals))
    rows, examples = [], None
    for threshold in thresholds:
        found = attack(model, originals, targets, threshold, steps)
        needed = found.needed
        textures = pair_textures(found.images, model.reconstruct(found.images))
        moved = found.images[needed].astype("float32") - originals[needed]
        enough, scores = len(np.unique(pairs[needed])) >= 2, [np.nan]
        if enough:
            scores = detection_accuracy(original_textures[needed], textures[needed], pairs[needed], folds, seed)
        rows.append(
            {
                "threshold": threshold,
                "attacks": int(needed.sum()),
                "got through": found.fooled[needed].mean() if enough else np.nan,
                "r, grey levels": float(np.sqrt((moved**2).mean())) if enough else np.nan,
                "accuracy": np.mean(scores),
                "± over folds": np.std(scores),
                "source": PRINTED.get(threshold, np.nan),
            }
        )
        examples = [images[:4][: len(first)] for images in (originals, found.images, targets)]
    examples = np.stack([*examples, *(model.reconstruct(images) for images in examples)], axis=1)
    return pandas.DataFrame(rows), examples


def figure(examples: np.ndarray, title: str = "") -> Figure:
    """Draw figure 5.13, one attack per row: x₁, x₁ + r, x₂, and the three reconstructions."""
    return rows_figure(examples, f"{title}: x₁, x₁ + r, x₂, and each made again")


def texture(images: np.ndarray, cells: int = 4) -> np.ndarray:
    """Histograms of local binary patterns (uniform, 8 neighbours) in ``cells``² parts: float (n, cells² · 10)."""
    from skimage.feature import local_binary_pattern

    histograms = []
    for image in images:
        grey = np.rint(image @ np.array([0.299, 0.587, 0.114])).astype("uint8")
        patterns = local_binary_pattern(grey, 8, 1, "uniform").astype(int)
        parts = [cell for row in np.array_split(patterns, cells) for cell in np.array_split(row, cells, axis=1)]
        histograms.append(np.concatenate([np.bincount(part.ravel(), minlength=10) / part.size for part in parts]))
    return np.stack(histograms)


def pair_textures(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """The SVM's features: both textures and their absolute difference, float (n, 3 · cells² · 10)."""
    first, second = texture(images), texture(reconstructions)
    return np.concatenate([first, second, np.abs(first - second)], axis=1)


def detection_accuracy(
    originals: np.ndarray, adversarial: np.ndarray, pairs: np.ndarray, folds: int = 10, seed: int = 0
) -> np.ndarray:
    """Cross-validate an SVM that tells adversarial examples from originals: accuracy on each held-out fold, (folds,).

    Parameters
    ----------
    originals, adversarial : ndarray of float, shape (n, D)
        Their :func:`pair_textures`.
    pairs : ndarray of int, shape (n,)
        The pair of people of each row; a pair is never on both sides of a split.
    folds : int
        10 in the source; at most the number of pairs, which must be at least 2.
    """
    from sklearn.model_selection import GroupKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    folds = min(folds, len(np.unique(pairs)))
    if folds < 2:
        raise ValueError("a cross-validation needs two pairs of people or more.")
    rows = np.concatenate([originals, adversarial])
    is_adversarial = np.repeat([0, 1], [len(originals), len(adversarial)])
    svm = make_pipeline(StandardScaler(), SVC(C=1.0, random_state=seed))
    return cross_val_score(svm, rows, is_adversarial, groups=np.tile(pairs, 2), cv=GroupKFold(folds))
