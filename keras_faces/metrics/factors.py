"""What of a drawn face is left when a system makes it again: each factor by itself, against the exact numbers.

A drawn face is made of numbers that are known (``data/drawn_factors.py``): those of the person and those of the one
picture. A transfer is to take the first from one picture and the second from another, and no classifier's opinion is
needed to say how far it does:

1. a reader learns from drawings to read each factor from the pixels (principal components, then ridge regression);
2. it reads held-out drawings: the correlation with the truth says how well it can read at all;
3. it reads the transferred faces: the correlation with the factors of the subject and with those of the attribute
   picture says whose they are.

The two pictures of a transfer are drawn independently, so a factor of the one tells nothing of the other.

Read next: ``retrieval.py``, identity as a whole; ``leakage.py``, how much A tells of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas

    from keras_faces.data.drawn import DrawnFaces

# Name of each factor, and how it is read off an Identity or an Appearance; ±1 for what is there or not.
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
    """The exact factors of each picture, a row a picture: those of the person, then those of the picture."""
    import pandas

    rows = []
    for number in range(len(drawn)):
        who, how = drawn.factors(number)
        of_person = {name: read(who) for name, read in OF_THE_PERSON.items()}
        rows.append(of_person | {name: read(how) for name, read in OF_THE_PICTURE.items()})
    return pandas.DataFrame(rows).astype("float64")


class FactorReader:
    """Reads factors from pixels.

    Parameters
    ----------
    images
        Drawings to learn from, uint8 (n, H, W, 3).
    known
        Their :func:`factors`.
    components
        Principal components that the regression reads; fewer if there are fewer pictures.

    Raises
    ------
    ValueError
        If there are not as many rows as pictures.
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
        """What is read in images uint8 (n, H, W, 3): float (n, factors)."""
        return self.regression.predict(_flat(images))


def carried_over(
    reader: FactorReader, drawings: Any, transferred: np.ndarray, of_subjects: Any, of_pictures: Any
) -> pandas.DataFrame:
    """Whose factors the transferred faces show.

    Parameters
    ----------
    reader
        Fitted on other drawings.
    drawings
        ``(images, factors)`` of held-out drawings, to know how well it reads.
    transferred
        Faces made, uint8 (n, H, W, 3).
    of_subjects, of_pictures
        Exact factors of x^s and x^a of each, tables of n rows.

    Returns
    -------
    A table with a row a factor: whose it should be ("person" or "picture"), and the correlations "read in drawings",
    "with the subject" and "with the picture", from −1 to 1.
    """
    import pandas

    images, known = drawings
    seen, read = reader(transferred), reader(images)
    rows = []
    for place, name in enumerate(reader.names):
        row = {"factor": name, "belongs to": "person" if name in OF_THE_PERSON else "picture"}
        row["read in drawings"] = _correlation(read[:, place], known[name])
        row["with the subject"] = _correlation(seen[:, place], of_subjects[name])
        row["with the picture"] = _correlation(seen[:, place], of_pictures[name])
        rows.append(row)
    return pandas.DataFrame(rows)


def _flat(images: np.ndarray) -> np.ndarray:
    return np.asarray(images, "float32").reshape(len(images), -1) / 255.0


def _correlation(first: Any, second: Any) -> float:
    first, second = (np.asarray(values, "float64") - np.mean(values) for values in (first, second))
    length = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / length) if length > 1e-12 else 0.0
