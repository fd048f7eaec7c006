"""CelebA's files: where they come from, under which terms, and whether a download is whole.

CelebA cannot be fetched by a program: Google Drive answers with a page about its quota, and the terms must be read. So
the user downloads in a browser, every file is compared with its published MD5 sum, and the pictures are unpacked.

Sources: Z. Liu, P. Luo, X. Wang, X. Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015; the sums as
torchvision publishes them (``torchvision.datasets.CelebA``), the sizes as TensorFlow Datasets does.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from data_prep.engine.archives import unpack
from keras_faces.files import atomic_write

WHERE_AND_TERMS = """CelebA: 202,599 photographs of 10,177 people, with 40 attributes (Liu, Luo, Wang, Tang, ICCV 2015)

Terms   For non-commercial research only; not to be passed on. Read the agreement on the project's page first.
Page    https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
Files   Its link to Google Drive:
        https://drive.google.com/drive/folders/0B7EVK8r0v71pWEZsZE9oNnFzTm8?resourcekey=0-5BR16BdXnb8hVj6CNHKzLg
        Img/img_align_celeba.zip (1.4 GB), all of Anno/ but list_landmarks_celeba.txt, and Eval/list_eval_partition.txt
Kaggle  https://www.kaggle.com/datasets/jessicali9530/celeba-dataset has the same pictures, the tables as csv, and no
        identities. Nobody publishes sums for it: --unverified takes it.

Put the files into one folder, then: python -m data_prep.fetch celeba --downloads THAT_FOLDER --out CELEBA"""

COUNT = 202_599
_PICTURES = "img_align_celeba"


@dataclass(frozen=True)
class Published:
    """A file of CelebA as it was published: MD5 sum ("" where none is published), bytes where known, what it holds."""

    name: str
    md5: str
    size: int | None
    holds: str


FILES = (
    Published("img_align_celeba.zip", "00d2c5bc6d35e252742224ab0c1e8fcb", 1_443_490_838, "the pictures"),
    Published("list_attr_celeba.txt", "75e246fa4810816ffd6ee81facbd244c", 26_721_026, "40 attributes"),
    Published("identity_CelebA.txt", "32bd1bd63d3c78cd57e08160ec5ed1e2", None, "who is who"),
    Published("list_eval_partition.txt", "d32c9cbf5e040fd4025c592c306e6668", 2_836_386, "training, validation, test"),
    Published("list_landmarks_align_celeba.txt", "cc24ecafdb5b50baae59b03474781f8c", 12_156_055, "eyes, nose, mouth"),
    Published("list_bbox_celeba.txt", "00566efa6fedff7a56946cd1c10f1c16", None, "boxes in the uncropped pictures"),
)
KAGGLE = (
    Published("archive.zip", "", None, "all of Kaggle's copy"),
    Published("celeba-dataset.zip", "", None, "all of Kaggle's copy"),
    Published("list_attr_celeba.csv", "", None, "40 attributes"),
    Published("list_eval_partition.csv", "", None, "training, validation, test"),
    Published("list_landmarks_align_celeba.csv", "", None, "eyes, nose, mouth"),
    Published("list_bbox_celeba.csv", "", None, "boxes in the uncropped pictures"),
)


@dataclass(frozen=True)
class Found:
    """A file that was looked for: where it lies (None: nowhere), and what is wrong with it ("" if it is whole)."""

    file: Published
    path: Path | None
    problem: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is there and its sum is the published one."""
        return self.path is not None and not self.problem

    def __str__(self) -> str:
        if self.path is None:
            return f"missing   {self.file.name} ({self.file.holds})"
        return f"{'whole' if self.whole else 'PROBLEM'}   {self.path}{': ' if self.problem else ''}{self.problem}"


def verify(downloads: str | Path, *, files: tuple[Published, ...] = FILES, progress: bool = True) -> list[Found]:
    """Look for CelebA's files in a folder, two folders deep, and compare each with its published sum.

    Parameters
    ----------
    downloads : str or Path
        The folder that a browser saved to, or its parent; ``Img/``, ``Anno/`` and ``Eval/`` may be inside.
    files : tuple of Published
        What to look for.
    progress : bool
        Show a bar.

    Returns
    -------
    list of Found
        One for each of `files`, in their order; then one for each file of Kaggle's copy that is there.

    Raises
    ------
    NotADirectoryError
        `downloads` is no folder.
    """
    downloads = Path(downloads)
    if not downloads.is_dir():
        raise NotADirectoryError(f"{downloads} is no folder; give the one that CelebA's files were downloaded to")
    paths = {file: _find(downloads, file.name) for file in files}
    total = sum(path.stat().st_size for path in paths.values() if path)
    with tqdm(total=total, desc="Checking MD5 sums", unit="B", unit_scale=True, delay=1, disable=not progress) as bar:
        found = [Found(file, path, _problem(path, file, bar) if path else "") for file, path in paths.items()]
    for file in KAGGLE:
        path = _find(downloads, file.name)
        if path is not None and (path.suffix == ".csv" or _is_kaggles(path)):
            found.append(Found(file, path, "Kaggle's copy, for which nobody publishes a sum; --unverified takes it"))
    return found


def collect(found: list[Found], out: str | Path, *, progress: bool = True) -> Path:
    """Copy the tables to a folder and unpack the pictures to its ``img_align_celeba`` (Kaggle's copy to ``kaggle``).

    What is there already is kept, so that a second call continues where a first stopped: every file and the folder
    of pictures appear only when they are whole.

    Parameters
    ----------
    found : list of Found
        What `verify` found, without what is not to be used.
    out : str or Path
        The folder; made if need be.
    progress : bool
        Show a bar.

    Returns
    -------
    Path
        The folder of pictures.

    Raises
    ------
    ValueError
        There are no pictures among `found`, or their archive is unsafe or damaged.
    OSError
        The disk is full, or something cannot be written; what was there before stays.
    """
    out = Path(out)
    archives = [one for one in found if one.path is not None and one.path.suffix == ".zip"]
    if not archives and not (out / _PICTURES).is_dir():
        missing = "The pictures are missing: neither img_align_celeba.zip nor Kaggle's archive.zip was found."
        raise ValueError(f"{missing}\n\n{WHERE_AND_TERMS}")
    out.mkdir(parents=True, exist_ok=True)
    for one in found:
        target = out / one.file.name
        if one.path is not None and one not in archives and one.path.resolve() != target.resolve():
            with atomic_write(target) as beside:
                shutil.copyfile(one.path, beside)
    if (out / _PICTURES).is_dir():
        return out / _PICTURES
    if archives[0].file not in KAGGLE:
        unpack(archives[0].path, out / _PICTURES, drop_top=True, progress=progress)
        return out / _PICTURES
    if not (out / "kaggle").is_dir():
        unpack(archives[0].path, out / "kaggle", progress=progress)
    return next((out / "kaggle").glob(f"{_PICTURES}/{_PICTURES}"), out / "kaggle")


def _find(downloads: Path, name: str) -> Path | None:
    places = (path for depth in ("", "*/", "*/*/") for path in sorted(downloads.glob(depth + name)))
    return next((path for path in places if path.is_file()), None)


def _problem(path: Path, file: Published, bar: tqdm) -> str:
    """What is wrong with a file, and the way out; "" if its sum is the published one."""
    size, sum_of = path.stat().st_size, hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as opened:
        while part := opened.read(2**20):
            sum_of.update(part)
            bar.update(len(part))
    md5 = sum_of.hexdigest()
    if md5 == file.md5:
        return ""
    published = f"MD5 {file.md5}" if file.size is None else f"{file.size:,} bytes with MD5 {file.md5}"
    return f"{size:,} bytes with MD5 {md5}, published {published}; {_why(path, size, file)}"


def _why(path: Path, size: int, file: Published) -> str:
    with open(path, "rb") as opened:
        head = opened.read(512)
    if size == 0:
        return "it is empty, download it again"
    if head.lstrip()[:1] == b"<":
        return "it is a web page, probably Google Drive's about its quota: try again tomorrow, or take Kaggle's copy"
    if path.suffix == ".txt" and b"\r\n" in head:
        text = path.read_bytes().replace(b"\r\n", b"\n")
        if hashlib.md5(text, usedforsecurity=False).hexdigest() == file.md5:
            return "only its line ends were changed to Windows's: the rest is whole, so --unverified may take it"
    if file.size is not None and size < file.size:
        return "it was cut short, download it again"
    return "it is damaged or another version, download it again"


def _is_kaggles(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "list_attr_celeba.csv" in archive.NameToInfo
    except (zipfile.BadZipFile, OSError):
        return False
