"""The figure that everything here is drawn into: a notebook shows it, whatever backend matplotlib has."""

from __future__ import annotations

import io

from matplotlib import figure


class Figure(figure.Figure):
    """Matplotlib's figure; as the last line of a notebook's cell it is shown, without ``%matplotlib inline``."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()
