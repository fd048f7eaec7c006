"""Fetching LFW from a server on this machine, and judging CelebA's files; nothing leaves the machine."""

import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep import fetch
from data_prep.engine import fetch_lfw
from data_prep.engine.fetch_celeba import FILES, Published, collect, verify
from data_prep.engine.fetch_lfw import SOURCES

ROOT = Path(__file__).resolve().parents[2]
FACES = {f"lfw_funneled/{who}/{who}_0001.jpg": who.encode() * 50 for who in ("Ann_Lee", "Bo_Li")}


def pack(path: Path, files: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path.read_bytes()


class Web:
    """A server on the loopback interface; `answers` maps a path to (status, body), `asked` lists the requests."""

    def __init__(self):
        self.answers, self.asked = {}, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append(self.path)
                status, body, *length = web.answers.get(self.path, (404, b"not here"))
                self.send_response(status)
                self.send_header("Content-Length", str(*length or (len(body),)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    web = Web()
    yield web
    web.server.shutdown()
    web.server.server_close()


@pytest.fixture
def lfw(web, tmp_path):
    """LFW as the server on this machine has it."""
    pytest.importorskip("sklearn")
    body = pack(tmp_path / "served.zip", FACES)
    (tmp_path / "served.zip").unlink()
    web.answers["/lfw"] = (200, body)
    return replace(SOURCES["funneled"], url=f"{web.url}/lfw", sha256=hashlib.sha256(body).hexdigest())


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_lfw_arrives_as_person_folders_and_is_fetched_once(tmp_path, web, lfw):
    for out in ("first", "second"):
        files = fetch_lfw.fetch_lfw(tmp_path / out, source=lfw, downloads=tmp_path / "kept", progress=False)
        assert {f"lfw_funneled/{name}": data for name, data in tree(tmp_path / out).items()} == FACES
        assert sorted(files) == sorted((tmp_path / out).glob("*/*.jpg"))
    assert web.asked == ["/lfw"]
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["lfw-funneled.tgz"]


def test_the_script_says_what_it_did(tmp_path, lfw, monkeypatch, capsys):
    monkeypatch.setitem(SOURCES, "funneled", replace(lfw, url="http://elsewhere.invalid/"))
    options = ["lfw", "--out", str(tmp_path / "lfw"), "--downloads", str(tmp_path / "kept"), "--url", lfw.url]
    assert fetch.main([*options, "--dry-run"]) == 0
    assert list(tmp_path.iterdir()) == [] and lfw.sha256 in capsys.readouterr().out
    assert fetch.main([*options, "--quiet"]) == 0
    assert "2 photographs of 2 people" in capsys.readouterr().out


def test_the_known_sums_are_sums():
    assert all(len(bytes.fromhex(source.sha256)) == 32 for source in SOURCES.values())
    assert all(len(bytes.fromhex(file.md5)) == 16 for file in FILES)


def test_the_sources_are_those_of_scikit_learn():
    """If scikit-learn moves the archives, its new address belongs here too."""
    theirs = pytest.importorskip("sklearn.datasets._lfw")
    assert SOURCES["funneled"].url == theirs.FUNNELED_ARCHIVE.url
    assert SOURCES["funneled"].sha256 == theirs.FUNNELED_ARCHIVE.checksum
    assert SOURCES["original"].sha256 == theirs.ARCHIVE.checksum


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, b"gone"), "Not Found"),
        ((503, b"busy"), "Service Unavailable"),
        ((200, b"another file"), "SHA256 checksum"),
        ((200, b"cut", 1000), "retrieval incomplete"),
    ],
)
def test_a_download_that_fails_leaves_nothing(tmp_path, web, lfw, answer, reason):
    web.answers["/lfw"] = answer
    with pytest.raises(OSError, match=rf"{lfw.url} could not be fetched .*{reason}.*save it as .*lfw-funneled\.tgz"):
        fetch_lfw.fetch_lfw(tmp_path / "out", source=lfw, downloads=tmp_path / "kept", retries=0, progress=False)
    assert tree(tmp_path) == {} and not (tmp_path / "out").exists()


def test_a_damaged_kept_archive_is_fetched_again(tmp_path, web, lfw):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / lfw.file).write_bytes(b"half of it")
    assert len(fetch_lfw.fetch_lfw(tmp_path / "out", source=lfw, downloads=tmp_path / "kept", progress=False)) == 2
    assert web.asked == ["/lfw"]


def test_nothing_is_fetched_where_the_folder_is_taken(tmp_path, web, lfw):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is there already"):
        fetch_lfw.fetch_lfw(tmp_path, source=lfw, downloads=tmp_path / "kept")
    assert web.asked == [] and tree(tmp_path) == {"mine.txt": b"mine"}


def test_what_a_killed_download_left_is_removed_once_it_is_old(tmp_path, lfw):
    for name, age in (("old", 7200), ("young", 0)):
        part = tmp_path / f"{lfw.file}.part_{name}"
        part.write_bytes(b"half")
        os.utime(part, (time.time() - age,) * 2)
    fetch_lfw.download(lfw, tmp_path, 0, progress=False)
    assert sorted(tree(tmp_path)) == [lfw.file, f"{lfw.file}.part_young"]


CELEBA = {
    "img_align_celeba.zip": None,
    "list_attr_celeba.txt": b"2\nSmiling\n000001.jpg  1\n000002.jpg -1\n",
    "identity_CelebA.txt": b"000001.jpg 7\n000002.jpg 9\n",
}
PICTURES = {"img_align_celeba/": b"", "img_align_celeba/000001.jpg": b"one", "img_align_celeba/000002.jpg": b"two"}


@pytest.fixture
def celeba(tmp_path, monkeypatch):
    """A small CelebA that was downloaded as Google Drive gives it, with its published sums."""
    folder = tmp_path / "downloads"
    (folder / "CelebA" / "Img").mkdir(parents=True)
    (folder / "CelebA" / "Anno").mkdir()
    files = []
    for name, data in CELEBA.items():
        path = folder / "CelebA" / ("Img" if data is None else "Anno") / name
        data = pack(path, PICTURES) if data is None else data
        path.write_bytes(data)
        files.append(Published(name, hashlib.md5(data).hexdigest(), len(data), "a test"))
    monkeypatch.setattr(fetch, "FILES", tuple(files))
    monkeypatch.setattr(fetch, "COUNT", 2)
    return folder


def script(*arguments) -> int:
    return fetch.main(["celeba", "--quiet", *map(str, arguments)])


def test_without_downloads_you_are_told_where_and_under_which_terms(capsys):
    assert script() == 0
    said = capsys.readouterr().out
    assert "non-commercial research only" in said and "mmlab.ie.cuhk.edu.hk/projects/CelebA.html" in said
    assert "kaggle.com" in said and "drive.google.com" in said


def test_whole_files_are_unpacked_and_a_second_call_changes_nothing(tmp_path, celeba, capsys):
    out = tmp_path / "out"
    assert script("--downloads", celeba, "--dry-run") == 0
    assert not out.exists()
    assert script("--downloads", celeba, "--out", out) == 0
    assert "2 photographs." in capsys.readouterr().out
    expected = {name: data for name, data in {**CELEBA, **PICTURES}.items() if data}
    assert tree(out) == expected
    before = (out / "img_align_celeba").stat().st_mtime_ns
    assert script("--downloads", celeba, "--out", out) == 0
    assert tree(out) == expected and (out / "img_align_celeba").stat().st_mtime_ns == before


def test_files_that_lie_in_the_target_already(celeba):
    assert script("--downloads", celeba / "CelebA" / "Img", "--out", celeba / "CelebA" / "Img") == 3  # no attributes
    assert sorted(tree(celeba / "CelebA" / "Img")) == ["img_align_celeba.zip", *list(PICTURES)[1:]]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"2\nSmil", "6 bytes with MD5 .* published 38 bytes with MD5 .*cut short, download it again"),
        (b"", "empty"),
        (b"<!DOCTYPE html><html>Quota exceeded", "web page"),
        (CELEBA["list_attr_celeba.txt"].replace(b"\n", b"\r\n"), "line ends.*--unverified"),
        (CELEBA["list_attr_celeba.txt"].replace(b"-1", b" 1"), "damaged or another version"),
    ],
)
def test_a_file_that_differs_stops_everything(tmp_path, celeba, capsys, data, why):
    (celeba / "CelebA" / "Anno" / "list_attr_celeba.txt").write_bytes(data)
    assert script("--downloads", celeba, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().out
    assert "PROBLEM" in said and "Nothing was written" in said and not (tmp_path / "out").exists()
    assert re.search(why, said)
    assert script("--downloads", celeba, "--out", tmp_path / "out", "--unverified") == 3
    assert (tmp_path / "out" / "list_attr_celeba.txt").read_bytes() == data


def test_missing_tables_are_listed(tmp_path, celeba, capsys):
    (celeba / "CelebA" / "Anno" / "identity_CelebA.txt").unlink()
    assert script("--downloads", celeba, "--out", tmp_path / "out") == 0
    assert "missing   identity_CelebA.txt" in capsys.readouterr().out
    assert "identity_CelebA.txt" not in tree(tmp_path / "out")


def test_missing_pictures_name_the_way(tmp_path, celeba):
    (celeba / "CelebA" / "Img" / "img_align_celeba.zip").unlink()
    with pytest.raises(ValueError, match="(?s)pictures are missing.*mmlab"):
        script("--downloads", celeba, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_kaggles_copy_is_known_and_taken_on_request(tmp_path, celeba, capsys):
    folder = tmp_path / "kaggle"
    folder.mkdir()
    copy = {"list_attr_celeba.csv": b"image_id,Smiling\n", "img_align_celeba/img_align_celeba/000001.jpg": b"one"}
    pack(folder / "archive.zip", copy)
    with pytest.raises(ValueError, match="pictures are missing"):
        script("--downloads", folder, "--out", tmp_path / "out")
    assert "archive.zip: Kaggle's copy" in capsys.readouterr().out
    for _ in range(2):
        assert script("--downloads", folder, "--out", tmp_path / "out", "--unverified") == 3
        assert tree(tmp_path / "out") == {f"kaggle/{name}": data for name, data in copy.items()}
        assert "1 photographs of the 2" in capsys.readouterr().out


def test_another_archive_zip_is_not_kaggles(tmp_path):
    pack(tmp_path / "archive.zip", {"holiday.jpg": b"sun"})
    assert all(one.path is None for one in verify(tmp_path, progress=False))
    (tmp_path / "archive.zip").write_bytes(b"no archive")
    assert all(one.path is None for one in verify(tmp_path, progress=False))


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(NotADirectoryError, match="absent is no folder"):
        verify(tmp_path / "absent")


def test_pictures_half_unpacked_are_begun_anew(tmp_path, celeba):
    found = verify(celeba, files=fetch.FILES, progress=False)
    (tmp_path / "out" / ".img_align_celeba.part").mkdir(parents=True)
    (tmp_path / "out" / ".img_align_celeba.part" / "000001.jpg").write_bytes(b"ha")
    assert collect(found, tmp_path / "out", progress=False) == tmp_path / "out" / "img_align_celeba"
    assert tree(tmp_path / "out" / "img_align_celeba") == {"000001.jpg": b"one", "000002.jpg": b"two"}


def test_a_wrong_call_ends_with_usage(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        script("--downloads", tmp_path)
    assert stop.value.code == 2 and "--out is missing" in capsys.readouterr().err


def test_the_script_ends_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "data_prep.fetch", "celeba", "--downloads", str(tmp_path / "no"), "--dry-run"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "no is no folder" in result.stderr and "Traceback" not in result.stderr
