"""Finding adversarial examples: IP-GAN makes a picture again, and what comes out shows whom the recogniser believes in.

Source: the dissertation, section 5.4.5 with figure 5.13 and table 5.4. An adversarial example x₁ + r looks like x₁ and
has the features of x₂. G reads the features, so its picture shows x₂ and does not fit the one that it was made of. The
textures (LBP) of a picture and of its reconstruction go to an SVM, an old-fashioned machine that is not so easily
attacked itself, which says whether the two fit.

Not printed there, and decided here: how a pair becomes numbers (both textures and their difference), and that the two
pictures of a pair of people and their adversarial examples stay together in one part of the cross-validation.

Read next: ``adversarial_examples.py``, how they are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.adversarial_examples import attack
from keras_faces.applications.transfer import check_model, rows_figure

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from keras_faces.data.faces import Faces

THRESHOLDS = (1.0, 0.8, 0.6, 0.4)
PRINTED = {1.0: 0.7673, 0.8: 0.8258, 0.6: 0.8718, 0.4: 0.9241}  # table 5.4


def pairs_of_people(faces: Faces, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of two different people each, none of them twice: two arrays uint8 (n, H, W, 3), n at most ``count``.

    Raises
    ------
    ValueError
        If it is not known who is on the pictures, or there are fewer than two pairs of different people.
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
    thresholds: Any = THRESHOLDS,
    steps: int = 40,
    seed: int = 0,
    folds: int = 10,
) -> tuple[pandas.DataFrame, np.ndarray]:
    """Table 5.4: each of a pair attacks the other, and the SVM is asked which pictures are honest.

    Parameters
    ----------
    model
        An IP-GAN; its recogniser is attacked.
    first, second
        Pictures of different people, uint8 (n, H, W, 3) each: 2n originals and 2n adversarial examples.
    thresholds
        Each θ.
    steps, seed, folds
        Of the search, and of the cross-validation.

    Returns
    -------
    A table with a row a threshold: how many pictures are not below θ as they are, and so are attacked; the share that
    got through; the root mean square of r in grey levels; accuracy (0.5 by chance) with its standard deviation over the
    folds; and the source's. And rows of pictures of the
    last threshold, uint8 (4, 6, H, W, 3), as figure 5.13: x₁, x₁ + r, x₂, and what is made of each.
    """
    import pandas

    check_model(model)
    originals, targets = np.concatenate([first, second]), np.concatenate([second, first])
    pairs = np.tile(np.arange(len(first)), 2)
    honest = pair_textures(originals, model.reconstruct(originals))
    rows, shown = [], None
    for threshold in thresholds:
        found = attack(model, originals, targets, threshold, steps)
        needed = found.needed
        made = pair_textures(found.images, model.reconstruct(found.images))
        moved = found.images[needed].astype("float32") - originals[needed]
        enough = len(np.unique(pairs[needed])) >= 2
        scores = detection_accuracy(honest[needed], made[needed], pairs[needed], folds, seed) if enough else [np.nan]
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
        some = slice(0, min(4, len(first)))
        three = [originals[some], found.images[some], targets[some]]
        shown = np.stack([*three, *(model.reconstruct(images) for images in three)], axis=1)
    return pandas.DataFrame(rows), shown


def figure(rows: np.ndarray, title: str = "") -> Figure:
    """Figure 5.13: a row an attack: x₁, x₁ + r, x₂, and the three reconstructions."""
    return rows_figure(rows, f"{title}: x₁, x₁ + r, x₂, and each made again")


def texture(images: np.ndarray, cells: int = 4) -> np.ndarray:
    """Histograms of local binary patterns (uniform, 8 neighbours) of ``cells``² parts: float (n, cells²·10)."""
    from skimage.feature import local_binary_pattern

    found = []
    for image in images:
        grey = np.rint(image @ np.array([0.299, 0.587, 0.114])).astype("uint8")
        patterns = local_binary_pattern(grey, 8, 1, "uniform")
        parts = [cell for row in np.array_split(patterns, cells) for cell in np.array_split(row, cells, axis=1)]
        found.append(
            np.concatenate([np.bincount(part.astype(int).ravel(), minlength=10) / part.size for part in parts])
        )
    return np.stack(found)


def pair_textures(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """What the SVM reads of a picture and its reconstruction: both textures, and how far they differ, float (n, D)."""
    first, second = texture(images), texture(reconstructions)
    return np.concatenate([first, second, np.abs(first - second)], axis=1)


def detection_accuracy(
    originals: np.ndarray, adversarial: np.ndarray, pairs: np.ndarray, folds: int = 10, seed: int = 0
) -> np.ndarray:
    """How often an SVM tells them apart, on parts that it did not learn from: float (folds,).

    Parameters
    ----------
    originals, adversarial
        :func:`pair_textures` of both, (n, D).
    pairs
        Number of the pair of people of each row, (n,); a pair is never on both sides of a split.
    folds
        Parts of the cross-validation, 10 in the source; no more than there are pairs.
    """
    from sklearn.model_selection import GroupKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    folds = min(folds, len(np.unique(pairs)))
    if folds < 2:
        raise ValueError("a cross-validation needs two pairs of people or more.")
    rows = np.concatenate([originals, adversarial])
    truth = np.repeat([0, 1], [len(originals), len(adversarial)])
    machine = make_pipeline(StandardScaler(), SVC(C=1.0, random_state=seed))
    return cross_val_score(machine, rows, truth, groups=np.concatenate([pairs, pairs]), cv=GroupKFold(folds))
