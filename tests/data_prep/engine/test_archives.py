"""Archives: what comes out is what went in, and nothing ever lands outside the folder."""

import bz2
import gzip
import io
import lzma
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.engine.archives import Limits, is_archive, read_members, safe_name, unpack

ROOT = Path(__file__).resolve().parents[3]
FILES = {"lfw/Ann/Ann_0001.jpg": b"first" * 99, "lfw/Ann/Ann_0002.JPG": b"", "lfw/read me.txt": "Grüße\n".encode()}
KINDS = ("a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz")


def tar_bytes(files: dict, **header) -> bytes:
    """A tar archive of these files; `header` changes each header's fields."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for field, value in header.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def make(path: Path, files: dict = FILES) -> Path:
    """An archive of the kind that its name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    packers = {".tar": bytes, ".gz": gzip.compress, ".tgz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    path.write_bytes(packers[path.suffix](tar_bytes(files)))
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_back_what_went_in(tmp_path, name):
    path = make(tmp_path / name)
    assert is_archive(path)
    assert list(read_members(path)) == list(FILES.items())
    assert [name for name, _ in read_members(path, wanted=list(FILES)[:2])] == list(FILES)[:2]
    assert unpack(path, tmp_path / "whole", progress=False) == [tmp_path / "whole" / name for name in FILES]
    assert tree(tmp_path / "whole") == FILES
    files = unpack(path, tmp_path / "inner", drop_top=True, progress=False)
    assert files[0] == tmp_path / "inner/Ann/Ann_0001.jpg"
    assert {f"lfw/{name}": data for name, data in tree(tmp_path / "inner").items()} == FILES
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([name, "whole", "inner"])


def test_an_archive_is_known_by_its_ending(tmp_path):
    for name in ("x.ZIP", "x.rar", "x.7z"):
        (tmp_path / name).write_bytes(b"")
        assert is_archive(tmp_path / name)
    (tmp_path / "folder.zip").mkdir()
    assert not is_archive(tmp_path / "folder.zip")
    assert not is_archive(tmp_path / "absent.zip")
    assert not is_archive(make(tmp_path / "x.zip").rename(tmp_path / "model.keras"))


def test_a_name_that_lies_about_the_kind_does_no_harm(tmp_path):
    path = make(tmp_path / "a.tar.xz").rename(tmp_path / "b.zip")
    assert dict(read_members(path)) == FILES


def test_what_a_mac_adds_is_left_out(tmp_path):
    extra = {"__MACOSX/lfw/._x.jpg": b"1", "lfw/._x.jpg": b"2", "lfw/x.jpg": b"3"}
    assert dict(read_members(make(tmp_path / "a.zip", extra))) == {"lfw/x.jpg": b"3"}


def test_folders_links_above_a_single_file_are_no_top_folder(tmp_path):
    unpack(make(tmp_path / "a.zip", {"one.jpg": b"1"}), tmp_path / "out", drop_top=True, progress=False)
    assert tree(tmp_path / "out") == {"one.jpg": b"1"}


UNSAFE = {
    "../x.jpg": "leads out",
    "a/../../x.jpg": "leads out",
    "a\\..\\..\\x.jpg": "leads out",
    ".. /x.jpg": "leads out",
    "/etc/passwd": "absolute",
    "\\\\server\\x": "absolute",
    "C:\\x.jpg": "colon",
    "C:x.jpg": "colon",
    "a\nb.jpg": "control characters",
    "\udcff.jpg": "not valid UTF-8",
    ".": "no name",
    "": "no name",
}


@pytest.mark.parametrize(("name", "reason"), UNSAFE.items())
def test_unsafe_names(name, reason):
    with pytest.raises(ValueError, match=reason):
        safe_name(name)


@pytest.mark.parametrize("kind", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg", "a\\..\\..\\x.jpg", "C:\\x.jpg"])
def test_an_archive_with_an_unsafe_name_is_refused_whole(tmp_path, kind, name):
    place = tmp_path / "place"
    place.mkdir()
    path = make(place / kind, {"good.jpg": b"1", name: b"2"})
    with pytest.raises(ValueError, match=rf"{kind}: .*x\.jpg'?: its name.*give the folder"):
        unpack(path, place / "out", progress=False)
    with pytest.raises(ValueError, match=r"x\.jpg"):
        list(read_members(path))
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]
    assert list(place.iterdir()) == [path]


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab./\\: \n\0é\ud800C~"), max_size=12) | st.text(max_size=30))
def test_a_name_is_refused_or_stays_below_the_folder(name):
    try:
        safe = safe_name(name)
    except ValueError:
        return
    parts = PurePosixPath(safe).parts
    assert parts and not PurePosixPath(safe).is_absolute()
    assert not {"..", ".", ""} & set(safe.split("/"))
    folder = Path("folder").absolute()
    assert folder in Path(os.path.normpath(folder / safe)).parents
    assert safe_name(safe) == safe


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.text(st.sampled_from("ab./\\"), min_size=1, max_size=8), st.binary(max_size=50), max_size=4),
    st.sampled_from(["x.zip", "x.tar"]),
)
def test_whatever_the_names_nothing_lands_outside(tmp_path_factory, files, kind):
    place = tmp_path_factory.mktemp("place")
    (place / "in").mkdir()
    path = make(place / "in" / kind, files)
    try:
        written = unpack(path, place / "in" / "out", progress=False)
    except ValueError as error:
        assert str(path) in str(error)
        written = []
    found = {file for file in place.rglob("*") if file.is_file()}
    assert found == {path, *written}
    assert all(place / "in" / "out" in file.parents for file in written)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(tmp_path, kind):
    (tmp_path / "a.tar").write_bytes(tar_bytes({"x.jpg": b""}, type=kind, linkname="/etc/passwd"))
    with pytest.raises(ValueError, match=r"a\.tar: 'x\.jpg': it is a link, a device"):
        list(read_members(tmp_path / "a.tar"))


def test_a_link_in_a_zip(tmp_path):
    info = zipfile.ZipInfo("x.jpg")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ValueError, match=r"a\.zip: 'x\.jpg': it is a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "out", progress=False)


def test_a_zip_with_a_password(tmp_path):
    data = bytearray(make(tmp_path / "a.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.zip: 'lfw/Ann/Ann_0001\.jpg': it is locked with a password"):
        list(read_members(tmp_path / "a.zip"))


SMALL = Limits(total=10**6, ratio=200, free=1000, member=500_000)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.xz"])
def test_a_bomb_is_stopped_while_it_expands(tmp_path, name):
    path = make(tmp_path / name, {"zeros.bmp": bytes(900_000)})
    with pytest.raises(ValueError, match=rf"{name}:.*expands to more than 200 times"):
        unpack(path, tmp_path / "out", progress=False, limits=SMALL)
    assert list(tmp_path.iterdir()) == [path]
    make(path, {"zeros.bmp": bytes(2_000_000)})
    with pytest.raises(ValueError, match="more than 1,000,000 bytes"):
        unpack(path, tmp_path / "out", progress=False, limits=Limits(total=10**6))
    with pytest.raises(ValueError, match=r"zeros\.bmp': larger than 500,000 bytes"):
        list(read_members(path, limits=Limits(member=500_000)))


def test_a_bomb_that_is_skipped_is_counted_too(tmp_path):
    path = make(tmp_path / "a.tar.gz", {"zeros.txt": bytes(900_000), "x.jpg": b"1"})
    with pytest.raises(ValueError, match="200 times"):
        list(read_members(path, wanted=(), limits=SMALL))


def test_a_zip_that_lies_about_the_size(tmp_path):
    data = bytearray(make(tmp_path / "a.zip", {"x.jpg": bytes(100_000)}).read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(ValueError, match="damaged or cut short at x.jpg"):
        list(read_members(tmp_path / "a.zip"))


def test_a_tar_header_of_a_gigabyte(tmp_path):
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**30
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    with pytest.raises(ValueError, match=r"a\.tar: damaged.*a header of 1,073,741,824 bytes"):
        list(read_members(tmp_path / "a.tar"))


@pytest.mark.parametrize("name", KINDS)
def test_an_archive_cut_anywhere_is_never_taken_for_whole(tmp_path, name):
    path = make(tmp_path / name, {f"{i}.jpg": os.urandom(700) for i in range(4)})
    whole = path.read_bytes()
    end = len(whole) if name != "a.tar" else 4 * (512 + 1024) + 1  # tar pads with zeros after its end mark
    for length in range(1, end, max(1, end // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="damaged or cut short|not a zip or tar"):
            unpack(path, tmp_path / "out", progress=False)
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_a_flipped_byte_is_found(tmp_path, name):
    path = make(tmp_path / name, {"x.jpg": os.urandom(5000)})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"{name}: damaged or cut short at"):
        list(read_members(path))


def test_a_broken_header_in_the_middle_of_a_tar(tmp_path):
    data = bytearray(tar_bytes({"x.jpg": b"1", "y.jpg": b"2"}))
    data[1024:1030] = b"broken"
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.tar: damaged or cut short at what follows x\.jpg"):
        list(read_members(tmp_path / "a.tar"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"empty file \(0 bytes\)"),
        (b"7z\xbc\xaf\x27\x1c rest", "7z archives are not read here; unpack it with 7-Zip"),
        (b"Rar!\x1a\x07 rest", "rar archives are not read here"),
        (b"\n<!DOCTYPE html><title>Google Drive - Quota exceeded", "a web page, no archive"),
        (b"plain text", "not a zip or tar archive"),
        (gzip.compress(b"plain text, but packed", mtime=0), "damaged or cut short at its beginning"),
    ],
)
def test_what_is_no_archive(tmp_path, data, message):
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(ValueError, match=rf"x\.zip: {message}"):
        list(read_members(tmp_path / "x.zip"))


def test_two_members_of_one_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.jpg", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.jpg", b"2")
    with pytest.raises(ValueError, match=r"a\.zip: 'x\.jpg': two members go by this name"):
        unpack(tmp_path / "a.zip", tmp_path / "out", progress=False)
    with pytest.raises(ValueError, match="'x/y.jpg': two members"):
        unpack(make(tmp_path / "b.zip", {"x": b"1", "x/y.jpg": b"2"}), tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    path = make(tmp_path / "a.zip")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="out is there already; remove it, or choose another name"):
        unpack(path, tmp_path / "out", progress=False)
    assert tree(tmp_path / "out") == {"mine.txt": b"mine"}
    (tmp_path / "out" / "mine.txt").unlink()
    unpack(path, tmp_path / "out", progress=False)  # an empty one is filled
    assert tree(tmp_path / "out") == FILES


def test_an_absent_archive_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.zip"):
        unpack(tmp_path / "absent.zip", tmp_path / "out", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path):
    """The operating system refuses to let a file grow, which is what a full disk does."""
    resource = pytest.importorskip("resource")
    path = make(tmp_path / "a.zip", {"x.jpg": os.urandom(100), "y.jpg": os.urandom(5000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match=r"a\.zip could not be unpacked to .*out \(.*nothing was left there"):
            unpack(path, tmp_path / "out", progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is Unix's")
def test_killed_half_way_and_run_again(tmp_path):
    path = make(tmp_path / "a.tar", {f"{i:05d}.jpg": b"x" * 50 for i in range(8000)})
    program = "import sys; from data_prep.engine.archives import unpack; "
    program += "unpack(sys.argv[1], sys.argv[2], progress=False)"
    running = subprocess.Popen([sys.executable, "-c", program, str(path), str(tmp_path / "out")], cwd=ROOT)
    started = tmp_path / ".out.part" / "00100.jpg"
    while running.poll() is None and not started.exists():
        time.sleep(0.001)
    running.kill()
    running.wait()
    assert not (tmp_path / "out").exists() and started.exists()
    assert len(unpack(path, tmp_path / "out", progress=False)) == 8000
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tar", "out"]
