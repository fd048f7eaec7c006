"""What a folder and an archive hold: order, names, and archives that change while they are read."""

import os
import sys
import tarfile
import zipfile

import pytest

from data_prep.engine.sources import open_source
from keras_faces.data.pictures import PictureError


def put(path, data=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def folder(tmp_path):
    for name in ("b/2.jpg", "b/10.JPG", "a/x.png", "list.txt", ".hidden.jpg"):
        put(tmp_path / "in" / name, name.encode())
    return tmp_path / "in"


def names(source):
    return [picture.name for picture in source.pictures]


def contents(source, pictures):
    return [(p.name, source.data(p, data)) for p, data in source.read(pictures)]


def test_folder(folder):
    source = open_source(folder)
    assert names(source) == ["a/x.png", "b/10.JPG", "b/2.jpg"] and source.ignored == ["list.txt"]
    assert contents(source, source.pictures[1:]) == [("b/10.JPG", b"b/10.JPG"), ("b/2.jpg", b"b/2.jpg")]
    assert source.pictures[0].size == 7 and source.pictures[0].mtime_ns == (folder / "a" / "x.png").stat().st_mtime_ns


def test_some_names(folder):
    source = open_source(folder, names=["b/2.jpg", "nowhere.jpg"])
    assert names(source) == ["b/2.jpg"] and source.ignored == []


def test_file_that_vanishes_is_a_broken_picture(folder):
    source = open_source(folder)
    (folder / "a" / "x.png").unlink()
    with pytest.raises(PictureError, match="cannot be opened"):
        source.data(source.pictures[0])


def test_link_to_nothing_is_broken_from_the_start(folder):
    os.symlink(folder / "nowhere.png", folder / "c.png")
    assert open_source(folder).broken[0][0] == "c.png"


def test_name_that_is_no_unicode(folder):
    if sys.platform != "linux":
        pytest.skip("only Linux has file names of arbitrary bytes")
    with open(os.fsencode(folder) + b"/caf\xe9.png", "wb") as file:
        file.write(b"coffee")
    source = open_source(folder, names=["caf\udce9.png"])
    assert source.data(source.pictures[0]) == b"coffee"


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.xz"])
def test_archive_in_its_order(folder, tmp_path, kind):
    archive = tmp_path / f"x.{kind}"
    order = ["b/2.jpg", "list.txt", "a/x.png", "b/10.JPG"]
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            for name in order:
                file.write(folder / name, name)
    else:
        with tarfile.open(archive, f"w:{kind[4:]}") as file:
            for name in order:
                file.add(folder / name, name)
    source = open_source(archive)
    assert names(source) == ["b/2.jpg", "a/x.png", "b/10.JPG"] and source.ignored == ["list.txt"]
    assert contents(source, source.pictures[1:]) == [("a/x.png", b"a/x.png"), ("b/10.JPG", b"b/10.JPG")]
    assert contents(source, []) == []


def test_archive_with_a_name_twice_or_one_that_leads_out(tmp_path):
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as file:
        file.writestr("a.jpg", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a.jpg", "2")
    with pytest.raises(ValueError, match=r"twice\.zip: 'a\.jpg' is in it twice"):
        open_source(tmp_path / "twice.zip")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as file:
        file.writestr("../a.jpg", "1")
    with pytest.raises(ValueError, match=r"out\.zip.*\.\./a\.jpg"):
        open_source(tmp_path / "out.zip")


def test_archive_that_changes_while_it_is_read(tmp_path):
    for content in (["a.jpg", "b.jpg"], ["a.jpg"]):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
            for name in content:
                file.writestr(name, name)
        if len(content) == 2:
            source = open_source(tmp_path / "x.zip")
    with pytest.raises(ValueError, match=r"x\.zip has changed while it was read: 1 pictures are gone"):
        contents(source, source.pictures)


def test_neither_folder_nor_archive(tmp_path):
    put(tmp_path / "x.txt")
    with pytest.raises(ValueError, match=r"x\.txt is neither a folder nor an archive"):
        open_source(tmp_path / "x.txt")
    with pytest.raises(FileNotFoundError, match="nowhere is not there"):
        open_source(tmp_path / "nowhere")


def test_folders_and_archives_tell_pictures_by_the_same_rule(tmp_path):
    files = {
        "a.jpg": b"x",
        "b.jfif": b"\xff\xd8\xff\xe0",
        "c": b"\x89PNG\r\n\x1a\n",
        "d.txt": b"words",
        "e.HEIC": b"\0\0\0\x18ftypheic",
    }
    for name, data in files.items():
        put(tmp_path / "in" / name, data)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped, tarfile.open(tmp_path / "a.tar", "w") as tape:
        for name in files:
            zipped.write(tmp_path / "in" / name, name)
            tape.add(tmp_path / "in" / name, name)
    for place in ("in", "a.zip", "a.tar"):
        source = open_source(tmp_path / place)
        assert names(source) == ["a.jpg", "b.jfif", "c"] and source.ignored == ["d.txt"]
        assert source.others() == [("d.txt", "not a picture (.txt)")]
        ((broken, reason),) = source.broken
        assert broken == "e.HEIC" and "export it as JPEG" in reason
        assert contents(source, source.pictures) == list(files.items())[:3]
