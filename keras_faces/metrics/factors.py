"""Factors of drawn faces in generated ones: what a transfer keeps of the subject and of the attribute picture.

The factors of a drawn face are known exactly (``data/drawn/factors.py``), so no classifier's opinion is needed:

1. a regression learns to read each factor from the pixels of drawings (PCA, then ridge regression);
2. on held-out drawings, its correlation with the truth says how well a factor can be read at all;
3. on transferred faces, the correlation with the factors of the subject and of the attribute picture says whose they
   are. The two pictures are drawn independently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas

    from keras_faces.data.drawn import DrawnFaces

# Each factor as a function of an Identity or an Appearance; ±1 for yes and no.
OF_THE_PERSON = {
    "man": lambda who: 2.0 * who.male - 1.0,
    "age": lambda who: who.age,
    "darkness of the skin": lambda who: who.melanin,
    "width of the face": lambda who: who.face_width,
    "length of the hair": lambda who: 2.0 * (who.hair_cut in ("long", "bob", "medium")) - 1.0,
    "fair hair": lambda who: 2.0 * (who.hair_colour in ("blond", "gray")) - 1.0,
    "bangs": lambda who: 2.0 * who.bangs - 1.0,
}
OF_THE_PICTURE = {
    "turned to the right": lambda how: how.yaw,
    "tilted": lambda how: how.roll,
    "looks up": lambda how: how.pitch,
    "size": lambda how: how.zoom,
    "smile": lambda how: how.smile,
    "open mouth": lambda how: how.mouth_open,
    "light from the right": lambda how: how.light_x,
    "light of the wall": lambda how: how.backdrop_light,
    "light of the clothes": lambda how: how.clothes_light,
    "glasses": lambda how: 2.0 * (how.glasses != "none") - 1.0,
    "hat": lambda how: 2.0 * (how.hat != "none") - 1.0,
}


def factors(drawn: DrawnFaces) -> pandas.DataFrame:
    """The exact factors of drawn faces: one row per picture, columns of the person, then of the picture."""
    import pandas

    rows = []
    for index in range(len(drawn)):
        who, how = drawn.factors(index)
        of_person = {name: read(who) for name, read in OF_THE_PERSON.items()}
        rows.append(of_person | {name: read(how) for name, read in OF_THE_PICTURE.items()})
    return pandas.DataFrame(rows).astype("float64")


class FactorReader:
    """A regression that reads factors from pixels.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, H, W, 3)
        Drawings to learn from.
    known : DataFrame
        Their :func:`factors`.
    components : int
        Principal components, at most n − 1.

    Raises
    ------
    ValueError
        If the numbers of rows and images differ.
    """

    def __init__(self, images: np.ndarray, known: pandas.DataFrame, components: int = 200) -> None:
        from sklearn.decomposition import PCA
        from sklearn.linear_model import RidgeCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        if len(images) != len(known):
            raise ValueError(f"{len(images)} pictures with {len(known)} rows of factors: one row for each.")
        self.names = list(known.columns)
        count = min(components, len(images) - 1, images[0].size)
        steps = PCA(count, random_state=0), StandardScaler(), RidgeCV(np.logspace(-1, 5, 13))
        self.regression = make_pipeline(*steps).fit(_flat(images), known.to_numpy())

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Read the factors of images uint8 (n, H, W, 3): float (n, factors)."""
        return self.regression.predict(_flat(images))


def carried_over(
    reader: FactorReader,
    drawings: tuple[np.ndarray, pandas.DataFrame],
    transferred: np.ndarray,
    of_subjects: pandas.DataFrame,
    of_pictures: pandas.DataFrame,
) -> pandas.DataFrame:
    """Correlate the factors of transferred faces with those of the subject and of the attribute picture.

    Parameters
    ----------
    reader : FactorReader
        Fitted on other drawings.
    drawings : (ndarray of uint8, DataFrame)
        Held-out drawings and their factors.
    transferred : ndarray of uint8, shape (n, H, W, 3)
    of_subjects, of_pictures : DataFrame
        Exact factors of x^s and x^a of each, n rows.

    Returns
    -------
    DataFrame
        One row per factor: ``factor``, ``belongs to`` ("person" or "picture"), and the correlations ``read in
        drawings``, ``with the subject`` and ``with the picture``, −1 to 1.
    """
    import pandas

    images, known = drawings
    seen, read = reader(transferred), reader(images)
    rows = [
        {
            "factor": name,
            "belongs to": "person" if name in OF_THE_PERSON else "picture",
            "read in drawings": _correlation(read[:, column], known[name]),
            "with the subject": _correlation(seen[:, column], of_subjects[name]),
            "with the picture": _correlation(seen[:, column], of_pictures[name]),
        }
        for column, name in enumerate(reader.names)
    ]
    return pandas.DataFrame(rows)


def _flat(images: np.ndarray) -> np.ndarray:
    return np.asarray(images, "float32").reshape(len(images), -1) / 255.0


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation; 0 for a constant."""
    return float(np.corrcoef(first, second)[0, 1]) if min(np.std(first), np.std(second)) > 1e-6 else 0.0
