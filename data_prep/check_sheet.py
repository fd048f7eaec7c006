"""A contact sheet: some pictures of a folder, drawn at random, side by side with their names. Next: ``check.py``."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_prep.check_picture import Looked

THUMB = 96  # pixels
_CAPTION, _GAP, _COLUMNS = 14, 6, 12


class Sample:
    """So many pictures, each as likely as any other, out of a stream whose length nobody knows.

    Source: J. Vitter, "Random Sampling with a Reservoir", ACM TOMS 11(1), 1985, algorithm R.
    """

    def __init__(self, count: int, seed: int = 0):
        self._count, self._random = count, random.Random(seed)
        self._kept: list[tuple[int, Looked]] = []

    def see(self, number: int, picture: Looked) -> None:
        """Take the picture of this number, counted from 0, or leave it."""
        if number < self._count:
            self._kept.append((number, picture))
        elif (place := self._random.randrange(number + 1)) < self._count:
            self._kept[place] = (number, picture)

    def chosen(self) -> list[Looked]:
        """The sample, in the stream's order."""
        return [picture for _, picture in sorted(self._kept, key=lambda kept: kept[0])]


def draw_sheet(pictures: list[Looked]) -> Image.Image:
    """Draw the small pictures of `pictures` in rows, each above the end of its name."""
    columns = min(_COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    wide, high = THUMB + _GAP, THUMB + _CAPTION + _GAP
    sheet = Image.new("RGB", (columns * wide + _GAP, rows * high + _GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=10)
    for number, picture in enumerate(pictures):
        x, y = _GAP + number % columns * wide, _GAP + number // columns * high
        sheet.paste(Image.fromarray(np.ascontiguousarray(picture.small)), (x, y))
        draw.text((x, y + THUMB), _fitting(picture.name, draw, font), fill="black", font=font)
    return sheet


def _fitting(name: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont) -> str:
    while draw.textlength(name, font=font) > THUMB:
        name = name[1:]
    return name
