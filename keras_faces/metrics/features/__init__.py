"""What describes an image by numbers, so that sets of images can be compared: ``get(spec)``.

    get("pixels")                    principal components of the pixels: for teaching, needs no network
    get("inception")                 Keras's Inception V3: what papers use, downloaded once
    get("classifier:runs/c")         a classifier of one's own faces, made by `keras-faces classify`
    get("file:net.keras")            any Keras model that reads images
    get("file:FOLDER")               dlib's face recogniser, in the files of face-api.js
    get("file:FOLDER@celeba-face")   the same, looking at a part of the image only; also @TOP,BOTTOM,LEFT,RIGHT

A box after "@" is four shares of the height and the width, such as ``@0.19,0.87,0.17,0.84``. Whatever is chosen stands
in the name of every score. Two scores compare only if the names are the same.

Read next: ``base.py`` (what all of them can do), ``resize.py`` (how both sides come to the same size).
"""

from __future__ import annotations

from pathlib import Path

from keras_faces.metrics.features.base import BOXES, Box, Features, check_box

__all__ = ["BOXES", "Features", "get"]

KINDS = 'features are "pixels", "inception", "classifier:RUN", "file:PATH", or an object of your own'


def get(spec: str | Features, box: str | Box | None = None) -> Features:
    """The features of a description.

    Parameters
    ----------
    spec
        See the head of this file. An object that is callable and has a ``name`` is given back as it is.
    box
        The part of an image that they look at: a name of ``BOXES``, or shares (top, bottom, left, right) of its height
        and width. ``None`` for the one in ``spec``, or else the whole image.

    Raises
    ------
    ValueError
        For an unknown description or a box that is none.
    FileNotFoundError
        If there is nothing at the path.
    """
    if not isinstance(spec, str):
        if not callable(spec) or not hasattr(spec, "name"):
            raise ValueError(f"{spec!r} cannot describe images; {KINDS} (callable, with a name).")
        if box is not None:
            raise ValueError(f"{spec.name} is made already: give the box when it is made.")
        return spec
    spec, box = _apart(spec.strip(), box)
    kind, colon, rest = spec.partition(":")
    if kind == "pixels" and not colon:
        from keras_faces.metrics.features.pixels import PixelFeatures

        return PixelFeatures(box=box)
    if kind == "inception" and not colon:
        from keras_faces.metrics.features.inception import InceptionFeatures

        return InceptionFeatures(box=box)
    if kind == "classifier" and rest:
        from keras_faces.metrics.features.classifier import ClassifierFeatures

        return ClassifierFeatures(rest, box=box)
    if kind == "file" and rest:
        return _file(Path(rest).expanduser(), box)
    raise ValueError(f"there are no features {spec!r}: {KINDS}.")


def _apart(spec: str, box: str | Box | None) -> tuple[str, Box | None]:
    """The description without its box, and the box. An "@" that no box follows belongs to the path."""
    before, at, behind = spec.rpartition("@")
    if at and before and (behind in BOXES or ("," in behind and "/" not in behind)):
        if box is not None:
            raise ValueError(f"features {spec!r} name a box already; leave out box={box!r}.")
        spec, box = before, behind
    return spec, check_box(box)


def _file(path: Path, box: Box | None) -> Features:
    if not path.exists():
        raise FileNotFoundError(f"features file:{path}: there is no such file or folder.")
    if path.is_dir():
        from keras_faces.metrics.features.recogniser import RecogniserFeatures

        return RecogniserFeatures(path, box=box)
    from keras_faces.metrics.features.file import FileFeatures

    return FileFeatures(path, box=box)
