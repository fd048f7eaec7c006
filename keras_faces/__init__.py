"""keras_faces: a class learns to generate faces with GANs.

    import keras_faces as kf
    faces = kf.data.load("drawn", image_size=32)
    model = kf.models.build("slides-v2", image_size=32, seed=0)
    model.fit(faces.batches(32), epochs=5)
    kf.plots.grid(model.sample(16)).savefig("faces.png")

Importing the package loads no deep-learning framework; the first model does. Keras reads the backend's name from the
environment variable ``KERAS_BACKEND`` (tensorflow, jax or torch) at that moment.
"""

import importlib
import os

__version__ = "0.1.0"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's own notes are not the lesson; errors still raise

_ROOMS = (
    "cli",
    "compare",
    "data",
    "evaluate",
    "figures",
    "interpolate",
    "layers",
    "losses",
    "metrics",
    "models",
    "plots",
    "runs",
    "training",
    "traverse",
)

__all__ = ["__version__", *_ROOMS]


def __getattr__(name: str):
    if name in _ROOMS:
        return importlib.import_module(f"keras_faces.{name}")
    raise AttributeError(f"module 'keras_faces' has no attribute {name!r}; it has {', '.join(_ROOMS)}")


def __dir__():
    return sorted([*globals(), *_ROOMS])
