"""Begin a new run with the weights of another one, on other photographs: ``from_run=``, ``--from``.

Optimizers, random state and the count of epochs begin anew. To go on with the same photographs is ``--resume``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_faces.models.options import standard_options
from keras_faces.runs.folder import RunConfig, RunError, RunFolder, go_on


def read_base(run: str | Path, asked: dict[str, Any]) -> RunConfig:
    """Return the configuration of the run to begin from.

    Parameters
    ----------
    run : str or Path
        Its folder.
    asked : dict
        What is asked for the new run. ``system``, ``image_size`` and ``options`` must be those of ``run``.

    Raises
    ------
    RunError
        One of them is another, there is no such run, or it has no weights yet.
    """
    folder = RunFolder(run)
    base = folder.read()
    base.options = standard_options(base.system, base.options)
    same = {name: asked[name] for name in ("system", "image_size", "options") if name in asked}
    go_on(folder.path, replace(base), same, free=(), way_out="begin without --from")
    if not (folder.checkpoint.exists() or folder.model.exists()):
        raise RunError(f"{folder.path} has no weights to begin with: neither checkpoint.h5 nor model.keras is there.")
    return base


def put_weights(config: RunConfig, model: Any) -> str:
    """Give a new model the weights of the run ``config.from_run``; return in words which they are.

    They are those of its ``checkpoint.h5``, else of its ``model.keras``.
    """
    from keras_faces import models
    from keras_faces.training import checkpoint

    folder = RunFolder(config.from_run)
    base = read_base(folder.path, {"system": config.system, "image_size": config.image_size, "options": config.options})
    if base.label_names != config.label_names:
        raise RunError(
            f"{folder.path} has learnt the labels {', '.join(base.label_names) or '(none)'}, and these faces have "
            f"{', '.join(config.label_names) or '(none)'}: choose the same by --labels, or begin without --from."
        )
    if folder.checkpoint.exists():
        checkpoint.load_weights(folder.checkpoint, model)
        return "Begins with the weights of {}: epoch {}, iteration {}.".format(folder.path, *folder.place())
    stored = models.load(folder.model, compile=False).weights
    if [weight.shape for weight in stored] != [weight.shape for weight in model.weights]:
        raise RunError(f"{folder.model} has not the weights of {config.system} with these options.")
    for weight, value in zip(model.weights, stored, strict=True):
        weight.assign(value)
    return f"Begins with the weights of {folder.model}."
