"""Ready models: generators that come with the package, trained on drawn faces.

No photograph was used, so they may be shown and passed on. Each is one file in ``ready/``: the system, its options and
G's weights, in float16; what BatchNormalization has measured stays in float32.

See also: ``docs/ready-models.md``, a card for each.
"""

from __future__ import annotations

import difflib
import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "ready"
STATISTICS = ("moving_mean", "moving_variance")


def names() -> list[str]:
    """Return the names of the ready models."""
    return sorted(file.stem for file in FOLDER.glob("*.npz"))


def load(name: str) -> Any:
    """Return a ready model.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    FaceModel
        With a trained ``generator`` for ``sample``; its D has fresh weights.

    Raises
    ------
    ValueError
        If there is no such model; the message names those that there are.
    """
    from keras_faces.models import build

    file = FOLDER / f"{name}.npz"
    if name not in names():
        near = difflib.get_close_matches(str(name), names(), n=1) or names()
        raise ValueError(f"there is no ready model {name!r}. There are: {', '.join(near)}.")
    with np.load(file, allow_pickle=False) as held:
        config = json.loads(str(held["config"]))
        weights = [held[f"weight{index}"] for index in range(config["weights"])]
    model = build(config["system"], config["image_size"], **config["options"])
    for variable, value in zip(model.generator.variables, weights, strict=True):
        variable.assign(value.astype("float32"))
    return model


def save(model: Any, system: str, options: dict[str, Any], path: str | PathLike) -> None:
    """Write a trained model's generator as a ready model.

    Parameters
    ----------
    model : FaceModel
        Its averaged weights and measured statistics are taken, as in ``model.sample``.
    system : str
        Its name in ``kf.models.available()``.
    options : dict
        Those it was built with that change the generator, such as ``width``.
    path : path
        The .npz file.
    """
    for variable, value in model.sampling_state():
        variable.assign(value)
    variables = model.generator.variables
    config = {
        "system": system,
        "image_size": int(model.generator.output_shape[1]),
        "options": options,
        "weights": len(variables),
    }
    weights = {
        f"weight{index}": np.asarray(variable, "float32" if variable.name in STATISTICS else "float16")
        for index, variable in enumerate(variables)
    }
    np.savez_compressed(path, config=json.dumps(config), **weights)
