"""Names in figures: a font that has their letters, else numbers with a key; never boxes."""

import warnings

import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from keras_faces.figures import fonts, grids

FontBuilder = pytest.importorskip("fontTools.fontBuilder").FontBuilder  # matplotlib brings it along
TTGlyphPen = pytest.importorskip("fontTools.pens.ttGlyphPen").TTGlyphPen


@pytest.fixture(autouse=True)
def no_fonts(monkeypatch):
    """A system with matplotlib's own fonts alone."""
    own = [font for font in font_manager.fontManager.ttflist if "DejaVu" in font.name]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    monkeypatch.setattr(fonts, "_numbers", {})
    fonts._font_with.cache_clear()
    fonts._find_new_fonts.cache_clear()
    yield
    fonts._font_with.cache_clear()


def make_font(path, name, letters):
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    pen.lineTo((900, 0))
    pen.lineTo((500, 700))
    pen.closePath()
    font = FontBuilder(1000, isTTF=True)
    names = [".notdef", *(f"u{ord(letter)}" for letter in letters)]
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(letter): f"u{ord(letter)}" for letter in letters})
    font.setupGlyf(dict.fromkeys(names, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": name, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)


def bars(names):
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.barh(names, range(len(names)), label="张三")
    axes.set_title("Smiling, 男")
    axes.legend()
    return figure


def ticks(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_without_a_font_numbers_stand_for_names_with_a_key(tmp_path, capsys):
    figure = bars(["戴眼镜", "男", "Peña Ω"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning a glyph
        grids.save(figure, tmp_path / "a.png")
        grids.save(figure, tmp_path / "b.png")
    assert ticks(figure) == ["[1]", "[2]", "Peña Ω"] and figure.axes[0].get_title() == "Smiling, [2]"
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "[3]"
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == [
        "In figures [1] stands for 戴眼镜",
        "In figures [2] stands for 男",
        "In figures [3] stands for 张三",
    ]
    assert "install one, such as Noto Sans CJK" in said[0]


def test_a_font_of_the_system_is_used_also_a_new_one_and_the_known_ones_first(tmp_path, monkeypatch, capsys):
    for name in ("Aaa", "Last Resort", "WenQuanYi Zen Hei"):
        make_font(tmp_path / f"{name}.ttf", name, "戴眼镜男张三")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(path) for path in tmp_path.glob("*.ttf")])
    figure = bars(["戴眼镜", "plain"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grids.save(figure, tmp_path / "a.png")
    assert ticks(figure) == ["戴眼镜", "plain"] and capsys.readouterr().out == ""
    label, plain = figure.axes[0].get_yticklabels()
    assert label.get_fontfamily()[-1] == "WenQuanYi Zen Hei" and "WenQuanYi Zen Hei" not in plain.get_fontfamily()
    assert fonts.caption("张三") == ("张三", str(tmp_path / "WenQuanYi Zen Hei.ttf"))


def test_names_that_no_terminal_should_obey_are_drawn_escaped(tmp_path):
    figure = bars(["\x1b[31mRED", "a\udcff"])
    grids.save(figure, tmp_path / "a.png")
    assert ticks(figure) == [r"\x1b[31mRED", r"a\udcff"]


def test_figures_that_a_notebook_shows_are_readable_without_being_saved():
    faces = np.zeros((2, 8, 8, 3), np.uint8)
    assert ticks(grids.evolution([("戴眼镜", faces), ("plain", faces)])) == ["[1]", "plain"]
    assert "[2]" in [axes.get_title() for axes in grids.side_by_side([("男", faces), ("x", faces)]).axes]
