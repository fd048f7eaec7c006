"""What `align` was asked for, what it wrote, and how it continues after a stop."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pandas as pd

from data_prep.engine.align_faces import canonical
from keras_faces.files import atomic_write

COLUMNS = ("file", "bytes", "faces", "score", "left", "top", "width", "height", "outside", "taken", "reason")
WHICH = ("largest", "center", "all")
FORMATS = ("jpg", "png")
_SETTINGS = ".align.json"
_SAVE_EVERY = 30  # seconds


@dataclass(frozen=True)
class Settings:
    """What is cut out. ValueError for a value outside its bounds."""

    size: int = 128  # side of the result in pixels, 8 to 4096
    margin: float = 0.0  # see `data_prep.engine.align_faces.canonical`
    faces: str = "largest"  # which of several in a picture: "largest", "center" (nearest to it) or "all"
    min_face: int = 40  # smaller faces, in pixels, are left out; 20 or more
    min_score: float = 0.9  # faces of which the detector is less sure, 0 to 1, are left out
    max_outside: float = 0.3  # share of the square, 0 to 1, that may lie outside the picture and is mirrored in
    format: str = "jpg"  # or "png"

    def __post_init__(self) -> None:
        canonical(self.size, self.margin)  # checks the margin
        if not 8 <= self.size <= 4096:
            raise ValueError(f"size={self.size} is not between 8 and 4096 pixels")
        for name, choices in (("faces", WHICH), ("format", FORMATS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}={getattr(self, name)!r} is none of {', '.join(choices)}")
        for name in ("min_score", "max_outside"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name):g} is not between 0 and 1")
        if self.min_face < 20:
            raise ValueError(f"min_face={self.min_face}: faces of fewer than 20 pixels cannot be found")


SETTINGS = Settings()


class Report:
    """The rows so far, those of an earlier call included, and the files that were written.

    Parameters
    ----------
    target : Path
        The folder of faces; the report is written beside it.
    settings : Settings
    dry_run : bool
        Write nothing.

    Raises
    ------
    FileExistsError
        The target holds something else, or faces by other settings.
    """

    def __init__(self, target: Path, settings: Settings, dry_run: bool):
        self.target, self.settings, self.dry_run = target, settings, dry_run
        self.path = target.with_name(target.name + ".csv")
        self.rows: list[dict] = []
        self.sizes: dict[str, int] = {}
        self.saved = time.monotonic()
        if not dry_run:
            self._resume()
        self.kept = len(self.sizes)
        self.used = {row["taken"] for row in self.rows if row["taken"]}

    def _resume(self) -> None:
        """Take over what an earlier call with these settings finished; refuse any other folder."""
        settings, made_by = json.dumps(asdict(self.settings)), self.target / _SETTINGS
        if made_by.exists():
            if (others := made_by.read_text(encoding="utf-8")) != settings:
                raise FileExistsError(
                    f"{self.target} holds faces that were aligned with other settings ({others}); choose another "
                    "folder, or remove it"
                )
        elif self.target.exists() and (not self.target.is_dir() or any(self.target.iterdir())):
            raise FileExistsError(f"{self.target} is there already; choose another folder, or remove it")
        self.target.mkdir(parents=True, exist_ok=True)
        with atomic_write(made_by) as beside:
            beside.write_text(settings, encoding="utf-8")
        if self.path.exists():
            table = pd.read_csv(self.path, keep_default_na=False, na_values={name: [""] for name in COLUMNS[3:9]})
            for file, rows in table.groupby("file", sort=False):
                if all((self.target / taken).is_file() for taken in rows["taken"] if taken):
                    self.rows += rows.to_dict("records")
                    self.sizes[file] = int(rows["bytes"].iloc[0])

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *_) -> None:
        self.save()

    def has(self, name: str, size: int) -> bool:
        """Whether an earlier call did the file of this name and size in bytes; if it has changed, its rows go."""
        if self.sizes.get(name) == size:
            return True
        if name in self.sizes:
            self.rows = [row for row in self.rows if row["file"] != name]
            self.used = {row["taken"] for row in self.rows if row["taken"]}
        return False

    def write(self, name: str, ending: str, pixels: np.ndarray) -> str:
        """Write one face. No name is given twice: a.png and a.jpg both have faces.

        Parameters
        ----------
        name : str
            Of the picture, below the source.
        ending : str
            Put behind the name, before the extension.
        pixels : ndarray of uint8, shape (size, size, 3)
            RGB.

        Returns
        -------
        str
            The name of the face's file below the target.
        """
        path = PurePosixPath(name)
        taken = str(path.with_name(f"{path.stem}{ending}.{self.settings.format}"))
        if taken in self.used:
            taken = str(path.with_name(f"{path.name}{ending}.{self.settings.format}"))
        self.used.add(taken)
        if not self.dry_run:
            bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
            data = cv2.imencode(f".{self.settings.format}", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
            (self.target / taken).parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(self.target / taken) as beside:
                beside.write_bytes(data.tobytes())
        return taken

    def add(self, rows: list[dict]) -> None:
        """Take the rows of one picture; save the report if half a minute has passed."""
        self.rows += rows
        if time.monotonic() - self.saved > _SAVE_EVERY:
            self.save()

    def table(self) -> pd.DataFrame:
        """The report, a row for each face or picture without, with the columns `COLUMNS`."""
        rows = [{"taken": "", "reason": "", **row} for row in self.rows]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def save(self) -> None:
        """Write the report."""
        if not self.dry_run:
            with atomic_write(self.path) as beside:
                self.table().to_csv(beside, index=False)
        self.saved = time.monotonic()
