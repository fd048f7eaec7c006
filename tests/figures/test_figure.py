"""Figures show themselves in a notebook."""

import numpy as np

from keras_faces.figures import grids


def test_a_notebook_gets_a_picture():
    figure = grids.grid(np.zeros((4, 8, 8, 3), "uint8"))
    assert figure._repr_png_().startswith(b"\x89PNG")
