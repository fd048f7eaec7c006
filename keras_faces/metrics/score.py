"""`Score`: a number with everything that it was measured on.

Two values compare only if their numbers of images, features and resize agree, so a score carries and prints them.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

# How each score is written in tables; the features' name comes before it ("Inception-Keras FID").
TITLES = {"fid": "FID", "kid": "KID", "inception_score": "Inception Score", "psnr": "PSNR", "ssim": "SSIM"}
_FLOATS = ("value", "low", "high", "spread")


@dataclass(frozen=True)
class Score:
    """One score and all that is needed to measure it again.

    Attributes
    ----------
    name : str
        "fid", "kid", "inception_score", "precision", "psnr", ...
    value : float
    low, high : float or None
        Ends of the 95 % interval, if there is one.
    n_real, n_fake : int
        Numbers of real and of generated images; 0 for a side that the score does not use.
    split : str
        Which real images: "training", "held-out", ...
    seed : int
        Of every draw: subsets, splits, interval.
    features : str
        What described the images, such as "Inception-Keras" or "pixels (PCA, 64 components)".
    resize : str
        How both sides were resized for the features.
    warnings : tuple of str
        Why this number should not be trusted.
    interval : str
        How the interval was computed.
    spread : float or None
        Standard deviation over the subsets or splits whose mean is the value (KID, Inception Score).
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
        for name in _FLOATS:  # plain numbers, for JSON
            number = getattr(self, name)
            object.__setattr__(self, name, None if number is None else float(number))
        for name in ("n_real", "n_fake", "seed"):
            object.__setattr__(self, name, int(getattr(self, name)))
        object.__setattr__(self, "warnings", tuple(self.warnings))

    @property
    def title(self) -> str:
        """The score's name in a table: "Inception-Keras FID"."""
        return f"{self.features} {TITLES.get(self.name, self.name.replace('_', ' '))}".strip()

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON; a number that is not finite becomes text, such as "inf"."""
        fields = asdict(self) | {"title": self.title, "warnings": list(self.warnings)}
        for name in _FLOATS:
            if fields[name] is not None and not math.isfinite(fields[name]):
                fields[name] = str(fields[name])
        return fields

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Score:
        """The score that `to_dict` wrote."""
        return cls(**{name: value for name, value in fields.items() if name in cls.__dataclass_fields__})

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
