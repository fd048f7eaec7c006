"""Names in all languages in figures: drawn by a font that has their letters, or as numbers with a printed key.

Matplotlib's own font has Latin, Greek, Cyrillic and a few other letters, and draws the same empty box for the rest.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from keras_faces.files import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Fonts with Chinese letters that systems bring along, tried before all others
_PREFERRED = (
    "Noto Sans CJK",
    "Noto Sans SC",
    "Source Han Sans",
    "WenQuanYi",
    "Microsoft YaHei",
    "PingFang",
    "Hiragino Sans GB",
    "SimHei",
    "Heiti",
    "STHeiti",
    "DengXian",
    "SimSun",
    "Droid Sans Fallback",
    "Arial Unicode MS",
)
_NO_LETTERS = re.compile("last ?resort|emoji|symbol|icon", re.IGNORECASE)  # boxes, or pictures of no fixed colour
_WORD = re.compile(r"[^\s,;:=()\[\]]+")
_numbers: dict[str, int] = {}  # names that no font can draw, and what stands for them in this process's figures


def make_readable(figure: Figure) -> Figure:
    """Let every text of a figure be read: give it a font that has its letters, or put numbers for its words.

    Parameters
    ----------
    figure : Figure
        It is changed. Numbers and the names that they stand for are printed, each once.

    Returns
    -------
    Figure
        The same.
    """
    from matplotlib.text import Text

    for axes in figure.findobj(lambda artist: hasattr(artist, "xaxis") and hasattr(artist, "yaxis")):
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_majorticklabels()]
            written = [_written(text)[0] for text in labels]
            if written != labels:
                axis.set_ticks(axis.get_majorticklocs(), written)
    for text in figure.findobj(Text):
        written, font = _written(text.get_text())
        if written != text.get_text():
            text.set_text(written)
        if font is not None and font not in text.get_fontfamily():
            text.set_fontfamily([*text.get_fontfamily(), font])
    return figure


def caption(name: str) -> tuple[str, str]:
    """Return a name as it can be drawn, and the file of the font that has its letters, for Pillow."""
    from matplotlib import font_manager

    text, font = _written(name)
    return text, font_manager.findfont(font or "DejaVu Sans")


def _written(text: str) -> tuple[str, str | None]:
    """A text as it can be drawn, and the name of the font to be added for it; None if matplotlib's own has it all."""
    text = "\n".join(printable(line) for line in text.split("\n"))
    if text.isascii():
        return text, None
    lacking = frozenset(letter for letter in text if not letter.isspace() and ord(letter) not in _letters(None))
    if not lacking:
        return text, None
    font = _font_with(lacking)
    if font is not None:
        return text, font
    return _WORD.sub(lambda word: _number(word[0]) if lacking & set(word[0]) else word[0], text), None


def _number(name: str) -> str:
    if name not in _numbers:
        _numbers[name] = len(_numbers) + 1
        why = ": no font here has these letters; install one, such as Noto Sans CJK" if len(_numbers) == 1 else ""
        print(f"In figures [{_numbers[name]}] stands for {name}{why}")
    return f"[{_numbers[name]}]"


@lru_cache(maxsize=256)
def _font_with(letters: frozenset[str]) -> str | None:
    """The name of an installed font that has all of these letters."""
    from matplotlib import font_manager

    codes = set(map(ord, letters))
    tried = set()
    for search in (lambda: None, _find_new_fonts):  # matplotlib keeps a list, which may be older than a font
        search()
        fonts = {
            font.name: font.fname for font in font_manager.fontManager.ttflist if not _NO_LETTERS.search(font.name)
        }
        for name in sorted(fonts.keys() - tried, key=_rank):
            tried.add(name)
            if codes <= _letters(fonts[name]):
                return name
    return None


def _rank(name: str) -> tuple[int, str]:
    return next((rank for rank, known in enumerate(_PREFERRED) if name.startswith(known)), len(_PREFERRED)), name


@lru_cache(maxsize=1)
def _find_new_fonts() -> None:
    from matplotlib import font_manager

    known = {font.fname for font in font_manager.fontManager.ttflist}
    for path in set(font_manager.findSystemFonts()) - known:
        try:
            font_manager.fontManager.addfont(path)
        except (OSError, RuntimeError, ValueError):
            continue  # of a kind that matplotlib cannot read


@lru_cache(maxsize=4)
def _letters(path: str | None) -> frozenset[int]:
    """The codes of the letters that a font has; None is matplotlib's own."""
    from matplotlib import font_manager

    try:
        return frozenset(font_manager.get_font(path or font_manager.findfont("DejaVu Sans")).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
