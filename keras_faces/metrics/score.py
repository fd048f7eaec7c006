"""`Score`: a number that carries what it was measured on.

An FID without its number of images, its features and its resize says nothing: two values can be compared only where
all of them agree. So every score of this package is a `Score`, and printing one prints everything.

What to read next: ``frechet.py`` for the best known score, ``intervals.py`` for ``low`` and ``high``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

# How each score is written in tables; the features' name comes before it ("Inception-Keras FID").
TITLES = {"fid": "FID", "kid": "KID", "inception_score": "Inception Score", "psnr": "PSNR", "ssim": "SSIM"}


@dataclass(frozen=True)
class Score:
    """One score and all that another person needs to measure it again.

    Attributes
    ----------
    name
        "fid", "kid", "inception_score", "precision", "psnr", ...
    value
        The score itself.
    low, high
        Ends of the 95 % interval; None where there is none (too few images, or it was not asked for).
    interval
        How the interval was made, in words; "" where there is none.
    spread
        Standard deviation over the subsets or splits whose mean is the value (KID, Inception Score), else None.
    n_real, n_fake
        Numbers of real and of generated images; 0 for a side that the score does not look at.
    split
        Which real images: "training", "held-out", ...
    seed
        Seed of every draw: subsets, splits, interval.
    features
        What described the images by numbers, such as "Inception-Keras" or "pixels (PCA, 64 components)".
    resize
        How both sides were brought to the features' size.
    warnings
        What keeps this number from being trusted, in words.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n_real: int = 0
    n_fake: int = 0
    split: str = "not stated"
    seed: int = 0
    features: str = ""
    resize: str = ""
    warnings: tuple[str, ...] = ()
    interval: str = ""
    spread: float | None = None

    def __post_init__(self):
        for name in ("value", "low", "high", "spread"):  # plain numbers, so that JSON takes them
            number = getattr(self, name)
            object.__setattr__(self, name, None if number is None else float(number))
        for name in ("n_real", "n_fake", "seed"):
            object.__setattr__(self, name, int(getattr(self, name)))
        object.__setattr__(self, "warnings", tuple(self.warnings))

    @property
    def title(self) -> str:
        """The score's name as in a table: "Inception-Keras FID"."""
        title = TITLES.get(self.name, self.name.replace("_", " "))
        return f"{self.features} {title}".strip()

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain Python values for JSON; a number that is not finite becomes its name, such as "inf"."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("value", "low", "high", "spread"):
            if fields[name] is not None and not math.isfinite(fields[name]):
                fields[name] = str(fields[name])
        return {**fields, "title": self.title, "warnings": list(self.warnings)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Score:
        """The score that `to_dict` wrote."""
        known = {name: value for name, value in fields.items() if name in cls.__dataclass_fields__}
        return cls(**known)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        parts = [f"{self.title} {_short(self.value)}"]
        if self.low is not None and self.high is not None:
            parts[0] += f" [{_short(self.low)}, {_short(self.high)}]"
        if self.spread is not None:
            parts[0] += f" ± {_short(self.spread)}"
        sides = [f"{count:,} {side}" for count, side in ((self.n_real, "real"), (self.n_fake, "fake")) if count]
        parts += [", ".join(sides), f"split: {self.split}", f"seed {self.seed}"]
        parts += [f"resize: {self.resize}"] if self.resize else []
        parts += [f"interval: {self.interval}"] if self.interval else []
        parts += [f"WARNING: {warning}" for warning in self.warnings]
        return " · ".join(part for part in parts if part)


def _short(number: float) -> str:
    return f"{number:.4g}" if abs(number) < 1000 else f"{number:,.1f}"
