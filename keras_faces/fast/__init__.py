"""Speed has one door: ``kf.fast.accelerate(network)``, undone by ``kf.fast.plain(network)``; see ``door.py``.

Beside it are the fast forms of Keras's layers, the choices for this machine (``autotune.py``) and training on several
devices (``devices.py``). Importing this package loads no framework.
"""

import importlib

_HOMES = {"accelerate": "door", "plain": "door", "is_accelerated": "door"}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f"keras_faces.fast.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'keras_faces.fast' has no attribute {name!r}; it has {', '.join(_HOMES)}")
