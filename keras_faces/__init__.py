"""keras_faces: a class learns to generate faces with GANs.

    import keras_faces as kf
    model = kf.train("slides-v2", data="drawn", image_size=32, epochs=5, out="runs/first")
    kf.plots.save(kf.plots.grid(model.sample(16)), "faces.png")

or, with Keras's own ``fit``,

    faces = kf.data.load("drawn", image_size=32)
    model = kf.models.build("slides-v2", image_size=32, seed=0)
    model.fit(faces.batches(32), epochs=5)

Importing the package loads no deep-learning framework; the first model does. Keras reads the backend's name from the
environment variable ``KERAS_BACKEND`` (tensorflow, jax or torch) at that moment.
"""

import importlib
import os
import sys

from keras_faces.fast import onednn

__version__ = "0.1.0"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's own notes are not the lesson; errors still raise
onednn.prefer()  # before TensorFlow is imported
if os.environ.get("MPLBACKEND", "").endswith("inline") and "ipykernel" not in sys.modules:
    del os.environ["MPLBACKEND"]  # a notebook's kernel sets it for itself; this is a command in one of its cells

# The names that a lesson writes: functions, and modules.
_FUNCTIONS = {"classify": "runs.classifier", "train": "runs.train"}
_MODULES = {
    "applications": "applications",
    "cli": "cli",
    "compare": "runs.compare",
    "data": "data",
    "eigenfaces": "figures.eigenfaces",
    "encoding": "figures.encoding",
    "evaluate": "runs.evaluate",
    "fast": "fast",
    "figures": "figures",
    "interpolate": "figures.interpolate",
    "layers": "layers",
    "losses": "training.losses",
    "metrics": "metrics",
    "models": "models",
    "plots": "figures.grids",
    "runs": "runs",
    "training": "training",
    "traverse": "figures.traverse",
}

__all__ = ["__version__", *_FUNCTIONS, *_MODULES]


def __getattr__(name: str):
    if name in _MODULES:
        with onednn.without_notes():
            return importlib.import_module(f"keras_faces.{_MODULES[name]}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"keras_faces.{_FUNCTIONS[name]}"), name)
    import difflib

    near = difflib.get_close_matches(name, __all__, n=2) or __all__
    raise AttributeError(f"module 'keras_faces' has no attribute {name!r}; there is {', '.join(near)}.")


def __dir__():
    return sorted([*globals(), *__all__])
