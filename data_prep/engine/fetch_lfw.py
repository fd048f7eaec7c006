"""Labeled Faces in the Wild, fetched from where scikit-learn has it, by scikit-learn's own downloader.

``sklearn.datasets.fetch_lfw_people`` gives small grey arrays. Here the photographs themselves are wanted, 250×250 in
person folders, so its downloader (``sklearn.datasets.fetch_file``) brings the archive and compares its SHA-256 sum, and
``archives.py`` unpacks it, whole or not at all.

Sources: G. Huang, M. Ramesh, T. Berg, E. Learned-Miller, "Labeled Faces in the Wild", University of Massachusetts
technical report 07-49, 2007; addresses and sums as in ``sklearn/datasets/_lfw.py``.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from data_prep.engine.archives import check_new, unpack

_TIMEOUT = 60  # seconds without a byte
_STALE = 3600  # seconds after which a partial download belongs to no running process


@dataclass(frozen=True)
class Source:
    """An archive on the web: its file name, address, SHA-256 sum, and what it holds."""

    file: str
    url: str
    sha256: str
    holds: str


SOURCES = {
    "funneled": Source(
        "lfw-funneled.tgz",
        "https://ndownloader.figshare.com/files/5976015",
        "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a",
        "LFW, turned and scaled by funneling so that eyes and mouths lie alike (about 240 MB)",
    ),
    "original": Source(
        "lfw.tgz",
        "https://ndownloader.figshare.com/files/5976018",
        "055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0",
        "LFW as it was collected (181 MB)",
    ),
}


def fetch_lfw(
    out: str | Path,
    *,
    source: Source = SOURCES["funneled"],
    downloads: str | Path | None = None,
    retries: int = 3,
    progress: bool = True,
) -> list[Path]:
    """Download LFW and unpack it to a new folder of person folders.

    Parameters
    ----------
    out : str or Path
        The folder to make; it may exist if it is empty.
    source : Source
        What to fetch, and from where: one of `SOURCES`, or the same archive on another server.
    downloads : str or Path, optional
        Where the archive is kept, so that a second call need not fetch it again; by default ``lfw_home`` in
        scikit-learn's data folder (``~/scikit_learn_data``).
    retries : int
        How often to try again, a second apart.
    progress : bool
        Show bars.

    Returns
    -------
    list of Path
        The files: 13,233 photographs of 5,749 people, and some lists.

    Raises
    ------
    FileExistsError
        `out` holds something.
    OSError
        The server cannot be reached, the sum differs after the download, or the disk is full.
    ValueError
        The archive is unsafe or damaged.
    """
    out = Path(out)
    check_new(out)
    return unpack(download(source, downloads, retries, progress), out, drop_top=True, progress=progress)


def download(source: Source, downloads: str | Path | None, retries: int, progress: bool) -> Path:
    """Bring the archive to `downloads`, unless it is there already with the right sum, and give its path."""
    from sklearn.datasets import fetch_file

    folder = download_folder(downloads)
    folder.mkdir(parents=True, exist_ok=True)
    for part in folder.glob(f"{source.file}.part_*"):  # what a killed download left; scikit-learn starts over
        if time.time() - part.stat().st_mtime > _STALE:
            part.unlink(missing_ok=True)
    try:
        with _timeout(), _watched(folder, source.file, progress), warnings.catch_warnings(action="ignore"):
            return Path(
                fetch_file(source.url, folder, local_filename=source.file, sha256=source.sha256, n_retries=retries)
            )
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise OSError(
            f"{source.url} could not be fetched ({reason}); try again later, or download it in a browser and save it "
            f"as {folder / source.file}"
        ) from error


def download_folder(downloads: str | Path | None) -> Path:
    """Where archives are kept: `downloads`, or scikit-learn's own place."""
    if downloads is not None:
        return Path(downloads)
    return Path(os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data")).expanduser() / "lfw_home"


@contextmanager
def _timeout() -> Iterator[None]:
    """A server that falls silent is an error; urllib alone would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextmanager
def _watched(folder: Path, file: str, progress: bool) -> Iterator[None]:
    """Show how a download grows, by looking at its partial file: scikit-learn has no bar."""
    done = threading.Event()

    def look(bar: tqdm) -> None:
        while not done.wait(0.2):
            sizes = [part.stat().st_size for part in folder.glob(f"{file}.part_*") if part.exists()]
            bar.update(max(sizes, default=bar.n) - bar.n)

    with tqdm(desc=f"Fetching {file}", unit="B", unit_scale=True, delay=1, disable=not progress) as bar:
        watcher = threading.Thread(target=look, args=(bar,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
