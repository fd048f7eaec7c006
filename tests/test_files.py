"""A file is whole or it is not there."""

import pytest

from keras_faces.files import atomic_write


def test_the_new_file_takes_the_old_ones_place(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_write(target) as beside:
        beside.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(type(error)), atomic_write(target) as beside:
        beside.write_text("half")
        raise error
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


def test_the_suffix_stays_for_writers_that_look_at_it(tmp_path):
    with atomic_write(tmp_path / "model.keras") as beside:
        assert beside.suffix == ".keras"
        beside.touch()
