"""The lessons: what they may import, how long a cell that trains may be, and that they can be made small."""

import ast
import re
from pathlib import Path

import pytest

from examples import quick

LESSONS = sorted((Path(__file__).parent.parent / "examples").glob("[0-9]*.py"))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.name[:2])
def test_a_lesson_trains_in_ten_lines_and_needs_no_command(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert "keras_faces.cli" not in text and not re.search(r"RunConfig|RunFolder", text)
    for cell in text.split("# %%"):
        lines = [line for line in cell.splitlines()[1:] if line.strip() and not line.startswith("#")]
        if "kf.train(" in cell or "kf.classify(" in cell or "model.fit(" in cell:
            assert len(lines) <= 10, cell


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.name[:2])
def test_a_lesson_can_be_made_small(lesson):
    small = quick.small(lesson)
    assert f"OUT = 'runs/quick/lesson-{lesson.name[:2]}'" in small
    assert ast.parse(small) and len(small.splitlines()) == len(lesson.read_text(encoding="utf-8").splitlines())
