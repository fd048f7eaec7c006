"""Features, which describe an image by numbers so that sets of images can be compared: ``get(spec)``.

    get("pixels")                    principal components of the pixels: for teaching, needs no network
    get("inception")                 Keras's Inception V3: what papers use, downloaded once
    get("classifier:runs/c")         a classifier of one's own faces, made by `keras-faces classify`
    get("file:net.keras")            any Keras model that reads images
    get("file:FOLDER")               dlib's face recogniser, in the files of face-api.js
    get("file:FOLDER@celeba-face")   the same on a part of the image only; also @TOP,BOTTOM,LEFT,RIGHT

A box after "@" is four shares of height and width, such as ``@0.19,0.87,0.17,0.84``. Everything is part of the name in
every score; two scores compare only if the names are equal. See also ``base.py``.
"""

from __future__ import annotations

from pathlib import Path

from keras_faces.metrics.features.base import BOXES, Box, Features, check_box

__all__ = ["BOXES", "Features", "get"]

KINDS = 'features are "pixels", "inception", "classifier:RUN", "file:PATH", or an object of your own'


def get(spec: str | Features, box: str | Box | None = None) -> Features:
    """Make the features of a description.

    Parameters
    ----------
    spec : str or Features
        See the head of this file. A callable object with a ``name`` is returned as it is.
    box : str or (top, bottom, left, right), optional
        The part of an image to look at: a name of ``BOXES``, or shares of height and width. By default the one in
        ``spec``, or the whole image.

    Raises
    ------
    ValueError
        For an unknown description or an invalid box.
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
        path = Path(rest).expanduser()
        if not path.exists():
            raise FileNotFoundError(f"features file:{path}: there is no such file or folder.")
        if path.is_dir():
            from keras_faces.metrics.features.recogniser import RecogniserFeatures

            return RecogniserFeatures(path, box=box)
        from keras_faces.metrics.features.file import FileFeatures

        return FileFeatures(path, box=box)
    raise ValueError(f"there are no features {spec!r}: {KINDS}.")


def _apart(spec: str, box: str | Box | None) -> tuple[str, Box | None]:
    """The description without its box, and the box. An "@" without a box after it belongs to the path."""
    before, at, behind = spec.rpartition("@")
    if at and before and (behind in BOXES or ("," in behind and "/" not in behind)):
        if box is not None:
            raise ValueError(f"features {spec!r} name a box already; leave out box={box!r}.")
        spec, box = before, behind
    return spec, check_box(box)
