"""Faces that OpenCV draws from a seed, with exact labels: an endless data set without any download.

faces = DrawnFaces(100, image_size=64, seed=7)
faces[0], faces.attribute_table(), faces.factors(0)
"""

from .drawn import DrawnFaces
from .factors import ATTRIBUTES, Appearance, Identity, attributes, draw_appearance, draw_identity
from .portrait import portrait

__all__ = [
    "ATTRIBUTES",
    "Appearance",
    "DrawnFaces",
    "Identity",
    "attributes",
    "draw_appearance",
    "draw_identity",
    "portrait",
]
