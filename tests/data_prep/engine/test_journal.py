"""Journals: what counts as done after a stop, and what does not."""

import json

import numpy as np
import pytest

from data_prep.engine import journal as journals
from data_prep.engine.journal import FolderJournal, PackedJournal, RawImages

HEADER = {"size": 2}


def images(count, value=0):
    return [np.full((2, 2, 3), value + number, np.uint8) for number in range(count)]


def opened(tmp_path, header=HEADER):
    return PackedJournal(tmp_path / "x.h5", header)


@pytest.fixture
def synced(tmp_path):
    """A journal with three pictures, one broken, in two lines; then a portion that never was told of."""
    journal = opened(tmp_path)
    journal.add(2, images(2), [])
    journal.sync()
    journal.add(2, images(1, value=2), [("b.jpg", "empty")])
    journal.sync()
    journal.add(1, images(1, value=9), [])
    journal.close()
    return tmp_path / ".x.h5.journal"


def test_what_was_synced_comes_back(synced, tmp_path):
    journal = opened(tmp_path)
    assert (journal.seen, journal.broken, journal.shape) == (4, [("b.jpg", "empty")], (2, 2, 3))
    assert journal.images()[:][:, 0, 0, 0].tolist() == [0, 1, 2] and not journal.restarted
    journal.add(1, images(1, value=3), [("c.jpg", "text")])
    journal.sync()
    journal.close()
    journal = opened(tmp_path)
    assert journal.seen == 5 and journal.broken == [("b.jpg", "empty"), ("c.jpg", "text")]
    assert journal.images()[:][:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    journal.remove()
    assert not synced.exists()


def test_any_cut_of_the_index_leaves_a_state_that_was(synced, tmp_path):
    index = synced / "index.jsonl"
    whole, pixels = index.read_bytes(), (synced / "pixels.raw").read_bytes()
    states = set()
    for cut in range(len(whole) + 1):
        index.write_bytes(whole[:cut])
        (synced / "pixels.raw").write_bytes(pixels)
        journal = opened(tmp_path)
        states.add((journal.seen, journal.restarted))
        assert len(journal.images() if journal.shape else []) == {0: 0, 2: 2, 4: 3}[journal.seen]
        journal.close()
    assert states == {(0, True), (0, False), (2, False), (4, False)}


def test_lines_that_are_no_json_do_not_count(synced, tmp_path):
    index = synced / "index.jsonl"
    index.write_bytes(index.read_bytes() + b"\x00\xff\x00\n" + b'{"seen": 99}\n')
    journal = opened(tmp_path)
    assert journal.seen == 4
    journal.close()


@pytest.mark.parametrize(("length", "seen"), [(None, 0), (0, 0), (12, 0), (24, 2), (35, 2), (36, 4)])
def test_pixels_that_were_lost_are_made_again(synced, tmp_path, length, seen):
    pixels = (synced / "pixels.raw").read_bytes()
    (synced / "pixels.raw").unlink()
    if length is not None:
        (synced / "pixels.raw").write_bytes(pixels[:length])
    for _ in range(2):  # what is cut off once stays so
        journal = opened(tmp_path)
        assert journal.seen == seen and len(journal.images() if journal.shape else []) == {0: 0, 2: 2, 4: 3}[seen]
        journal.close()
    journal = opened(tmp_path)
    journal.add(1, images(1, value=7), [])
    journal.sync()
    journal.close()
    assert opened(tmp_path).seen == seen + 1


def test_other_header_begins_anew(synced, tmp_path):
    journal = opened(tmp_path, {"size": 3})
    assert journal.restarted and journal.seen == 0 and journal.shape is None
    journal.close()
    assert (synced / "pixels.raw").read_bytes() == b""


def test_portion_that_fails_half_way_never_was(tmp_path):
    journal = opened(tmp_path)
    journal.add(2, images(2), [])

    class Failing:
        shape, nbytes = (2, 2, 3), 12

        def __buffer__(self, flags):
            raise OSError(28, "No space left on device")

    with pytest.raises((OSError, TypeError)):
        journal.add(2, [*images(1, value=7), Failing()], [("x", "y")])
    journal.sync()
    journal.close()
    journal = opened(tmp_path)
    assert journal.seen == 2 and journal.broken == [] and journal.images()[:][:, 0, 0, 0].tolist() == [0, 1]
    journal.close()


def test_syncs_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(journals, "_SYNC_BYTES", 24)
    journal = opened(tmp_path)
    for _ in range(5):
        journal.add(1, images(1), [])
    journal.close()
    assert opened(tmp_path).seen == 4


def test_raw_images_are_sliced(tmp_path):
    pixels = np.arange(5 * 12, dtype=np.uint8).reshape(5, 2, 2, 3)
    pixels.tofile(tmp_path / "raw")
    raw = RawImages(tmp_path / "raw", pixels.shape)
    for key in (slice(None), slice(1, 3), slice(3, 99), slice(5, 9)):
        np.testing.assert_array_equal(raw[key], pixels[key])
    assert len(raw) == 5


def test_folder_journal_knows_the_very_picture(tmp_path):
    journal = FolderJournal(tmp_path, HEADER)
    (tmp_path / "a.jpg").write_bytes(b"123")
    journal.add([("a.jpg", 10, 20, 3), ("gone.jpg", 10, 20, 3)])
    journal.add([])
    journal.close()
    with open(FolderJournal.path(tmp_path), "ab") as file:
        file.write(b'[["b.jpg", 1, 2')
    journal = FolderJournal(tmp_path, HEADER)
    assert journal.has("a.jpg", 10, 20, tmp_path / "a.jpg")
    assert not journal.has("a.jpg", 11, 20, tmp_path / "a.jpg")
    assert not journal.has("a.jpg", 10, 21, tmp_path / "a.jpg")
    assert not journal.has("b.jpg", 1, 2, tmp_path / "a.jpg")
    assert not journal.has("gone.jpg", 10, 20, tmp_path / "gone.jpg")
    (tmp_path / "a.jpg").write_bytes(b"12")
    assert not journal.has("a.jpg", 10, 20, tmp_path / "a.jpg")
    journal.add([("caf\udce9.jpg", 1, 2, 3)])
    journal.close()
    lines = FolderJournal.path(tmp_path).read_text().splitlines()
    assert [json.loads(line) for line in lines][-1] == [["caf\udce9.jpg", 1, 2, 3]]
    journal = FolderJournal(tmp_path, {"size": 9})
    assert journal.restarted and not journal.has("a.jpg", 10, 20, tmp_path / "a.jpg")
    journal.close()
