"""Read a classifier that ``keras-faces classify`` has trained: ``config.json`` and ``classifier.keras`` of its folder.

Models and metrics that use a classifier read it here; ``runs/classifier.py`` trains it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras_faces.records import read_json


def read_config(run: str | Path) -> dict[str, Any]:
    """Read the configuration of a classifier's run folder.

    Parameters
    ----------
    run : str or Path
        The folder.

    Returns
    -------
    dict
        ``image_size``, ``width``, ``kind`` ("classes" or "attributes"), ``names`` (one for each logit), and more.

    Raises
    ------
    ValueError
        If this is not a folder of `keras-faces classify`, or its configuration is damaged.
    """
    file = Path(run) / "config.json"
    try:
        found = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{run} is no classifier's run: it has no config.json.") from None
    if found.get("what") != "classifier":
        raise ValueError(f"{run} is a run, but of no classifier; make one by `keras-faces classify`.")
    if "rate" in found:  # written before the option was renamed
        found["learning_rate"] = found.pop("rate")
    return {"image_size": 64, "width": 32, "kind": "", "names": [], **found}


def load_network(run: str | Path) -> Any:
    """Load the trained classifier: a ``keras.Model`` from images in [-1, 1] to one logit for each name.

    Raises
    ------
    ValueError
        If no epoch was finished, or the file is damaged.
    """
    from keras_faces import models

    file = Path(run) / "classifier.keras"
    if not file.exists():
        raise ValueError(f"{run} holds no trained classifier yet: no epoch was finished. Go on by --resume.")
    try:
        return models.load(file, compile=False)
    except Exception as error:  # Keras and the zip and HDF5 readers under it raise many kinds
        raise ValueError(f"{file} cannot be read as a Keras model: {error}. Train it anew.") from error
