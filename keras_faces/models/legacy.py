"""Model files from before speed had one door: their classes and their weights under today's names.

Such a ``.keras`` file (a zip archive) names fast layers of this package, whose weights are those of Keras's own layers,
and classes that have been renamed since. ``kf.models.load`` reads it through :func:`modern`.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# The class in an old file, registered as "keras_faces>NAME" -> the path of the class today. Nothing is imported here.
CLASSES = {
    "Adam": "keras.optimizers.Adam",
    "BatchNormalization": "keras.layers.BatchNormalization",
    "Conv2D": "keras.layers.Conv2D",
    "Conv2DTranspose": "keras.layers.Conv2DTranspose",
    "Dense": "keras.layers.Dense",
    "PolyphaseSequential": "keras.Sequential",
    "PoolFirstSequential": "keras.Sequential",
    "LateAdam": "keras_faces.training.optimizers.PerVariableAdam",
    "AdversarialOptimizer": "keras_faces.training.optimizers.MultiOptimizer",
    "AdversarialModel": "keras_faces.training.gan.RegularizedGAN",
    "FeatureMatchingModel": "keras_faces.models.dissertation.fm_gan.FMGAN",
    "Centres": "keras_faces.training.feature_centers.FeatureCenters",
}
# Class -> arguments in an old file and their names today.
ARGUMENTS = {"InfoGAN": {"numbers": "continuous_dim", "number_weight": "continuous_weight"}}


@contextlib.contextmanager
def modern(path: Path) -> Iterator[Path]:
    """Yield a file that Keras can load with today's classes: ``path`` itself, or a temporary copy of an old file.

    Parameters
    ----------
    path : Path
        A ``.keras`` file. It is not changed.
    """
    if not _is_old(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="keras-faces-") as folder:
        file = Path(folder) / path.name
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(file, "w") as new:
            config = _renamed(json.loads(old.read("config.json")))
            changed = {"config.json": json.dumps(config), "model.weights.h5": _moved(old)}
            for name in old.namelist():
                new.writestr(name, changed.get(name) or old.read(name))
        yield file


def _is_old(path: Path) -> bool:
    """Whether the file names a class of the table; False for what is no such file, so that Keras says so."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = archive.read("config.json").decode()
    except (zipfile.BadZipFile, KeyError):
        return False
    return any(f'"keras_faces>{name}"' in config for name in CLASSES)


def _renamed(value: Any) -> Any:
    """A part of a configuration with today's classes."""
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _renamed(item) for key, item in value.items()}
    if names := ARGUMENTS.get(value.get("class_name")):
        value["config"] = {names.get(key, key): item for key, item in value["config"].items()}
    if path := CLASSES.get(str(value.get("registered_name")).removeprefix("keras_faces>")):
        module, _, name = path.rpartition(".")
        registered = None if module.split(".")[0] == "keras" else f"keras_faces>{name}"
        value |= {"module": module, "class_name": name, "registered_name": registered}
    return value


def _moved(archive: zipfile.ZipFile) -> bytes:
    """The weights where today's classes look for them: Keras files them by attributes and by names of classes."""
    import h5py

    buffer = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(buffer, "r+") as file:
        groups: list[str] = []
        file.visit(groups.append)
        names = {file[group].attrs.get("name"): group.removesuffix("/vars") for group in groups}
        targets = {"d_eyes": "d_logits", "eyes": names.get("recogniser")}  # layers that two networks share
        for group in groups:
            network, _, rest = group.partition("/layers/")
            if network in targets and rest and "/" not in rest:
                file.move(group, f"{targets[network]}/layers/{rest}")
            elif group.rpartition("/")[2].startswith("centres"):
                file.move(group, group.replace("centres", "feature_centers"))
    return buffer.getvalue()
