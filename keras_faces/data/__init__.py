"""Faces as arrays and batches: drawn faces, packed HDF5 files, folders of photographs.

    faces = kf.data.load("drawn")                       # or a folder, or a packed .h5 file
    model.fit(faces.batches(64), epochs=20)

Start with ``faces.py`` (`load` and `Faces`), then ``batches.py``. A name is imported when it is first used: the command
line's help does not wait for OpenCV, and Keras is not loaded before `Faces.batches`.
"""

import importlib

_EXPORTS = {
    "load": "faces",
    "Faces": "faces",
    "DrawnFaces": "drawn",
    "Batches": "batches",
    "write_packed": "packed",
    "verify_packed": "packed_verify",
    "select": "expressions",
    "load_images": "pictures",
    "to_square": "pictures",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str):
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"keras_faces.data.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'keras_faces.data' has no attribute {name!r}; it has {', '.join(_EXPORTS)}")


def __dir__():
    return sorted([*globals(), *_EXPORTS])
