"""Faces as arrays and batches: drawn faces, packed HDF5 files, folders of photographs.

    faces = kf.data.load("drawn")                       # or a folder, or a packed .h5 file
    model.fit(faces.batches(64), epochs=20)

What to read next: ``faces.py`` (`load` and `Faces`), then ``batches.py``. Names are imported when they are first used,
so that the command line's help need not wait for OpenCV, and no framework is loaded before `Faces.batches` needs Keras.
"""

import importlib

_HOMES = {
    "load": "faces",
    "Faces": "faces",
    "DrawnFaces": "drawn",
    "Batches": "batches",
    "write_packed": "packed",
    "verify_packed": "packed_verify",
    "select": "expressions",
    "to_square": "pictures",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f"keras_faces.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'keras_faces.data' has no attribute {name!r}; it has {', '.join(_HOMES)}")


def __dir__():
    return sorted([*globals(), *_HOMES])
