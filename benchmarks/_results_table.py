"""The tables that ``results.py`` writes: one for each set and each kind of features, with the commands of their rows.

What to read next: ``results.py``, which trains and scores what stands in them.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_faces.runs.folder import RunFolder

if TYPE_CHECKING:
    import pandas

    from benchmarks.results import Row

SHOWN = ("precision", "recall", "density", "coverage", "memorisation", "spread")


def table(rows: list[Row]) -> pandas.DataFrame:
    """One row for each run and each kind of features; what is not known is empty."""
    import pandas

    lines = []
    for row in rows:
        known: dict[str, Any] = {"set": row.name, "system": row.system, "state": row.state}
        if row.folder.config_file.exists():
            config = row.folder.read()
            known |= {"image_size": config.image_size, "epochs": config.epochs, "batch_size": config.batch_size}
            known |= {"precision": config.precision, **_time(row.folder)}
            known |= {"train": command_of(row.folder, Path(row.data).name)}
        lines += [known | _columns(scores) for scores in row.scores.values()] or [known]
    whole = pandas.DataFrame(lines)
    counts = ("image_size", "epochs", "batch_size", "iterations", "n_real", "n_fake", "seed")
    return whole.astype({name: "Int64" for name in counts if name in whole})


def _time(folder: RunFolder) -> dict[str, Any]:
    import pandas

    log = pandas.read_csv(folder.log) if folder.log.exists() else ()
    if not len(log):
        return {"iterations": None, "minutes": None}
    return {"iterations": int(log["step"].iloc[-1]), "minutes": round(log["seconds"].iloc[-1] / 60, 1)}


def _columns(scores: list[Any]) -> dict[str, Any]:
    first = scores[0]
    found = {name: getattr(first, name) for name in ("features", "resize", "split", "n_real", "n_fake", "seed")}
    for score in scores:
        found |= {score.name: score.value, f"{score.name}_low": score.low, f"{score.name}_high": score.high}
    return found | {"warnings": " ".join(dict.fromkeys(warning for score in scores for warning in score.warnings))}


def markdown(whole: pandas.DataFrame, machine: str, evaluated: str) -> str:
    """The tables, one for each set and each kind of features, with the commands that make their rows."""
    lines = [f"Scored on {machine}.", ""]
    for name, of_set in whole.groupby("set", sort=False):
        for features, part in of_set.groupby("features", sort=False) if "features" in of_set else ():
            first = part.iloc[0]
            lines += [f"### {name}: {features}", ""]
            lines += [f"Real side: {first['n_real']:.0f} {first['split']} photographs; resize: {first['resize']}.", ""]
            lines += ["| system | iterations | minutes | FID (95 %) | KID | " + " | ".join(SHOWN) + " |"]
            lines += ["|---|" + "---:|" * (4 + len(SHOWN))]
            lines += [_line(row) for _, row in part.iterrows()]
            lines += ["", *dict.fromkeys(f"Warning: {text}" for text in part["warnings"] if text), ""]
        unscored = of_set[of_set["features"].isna()] if "features" in of_set else of_set
        lines += [f"{row['system']}: no scores, {row['state']}." for _, row in unscored.iterrows()]
        commands = dict.fromkeys(command for command in of_set.get("train", ()) if isinstance(command, str))
        lines += ["", "```", *commands, evaluated, "```", ""]
    return "\n".join(lines)


def _line(row: Any) -> str:
    name = row["system"] if row["state"] in ("finished", "") else f"{row['system']} ({row['state']})"
    cells = [name, _number(row.get("iterations"), ",.0f"), _number(row.get("minutes"), ".1f")]
    low, high = _number(row.get("fid_low"), ".4g"), _number(row.get("fid_high"), ".4g")
    cells += [_number(row["fid"], ".4g") + (f" [{low}, {high}]" if low else ""), _number(row["kid"], ".3g")]
    return "| " + " | ".join([*cells, *(_number(row.get(name), ".2f") for name in SHOWN)]) + " |"


def _number(value: Any, shape: str) -> str:
    import pandas

    return "" if value is None or pandas.isna(value) else format(value, shape)


def command_of(folder: RunFolder, data: str) -> str:
    """The command that makes a run, from its ``config.json``; ``data`` is the folder's name."""
    config = folder.read()
    given = {"data": data, "count": config.count, "image-size": config.image_size, "epochs": config.epochs}
    given |= {"batch-size": config.batch_size, "seed": config.seed, "precision": config.precision}
    given |= {"compiler": config.compiler}
    given |= {"crop": None if config.crop == "auto" else config.crop}
    words = [word for key, value in given.items() if value is not None for word in (f"--{key}", str(value))]
    for key, value in config.options.items():
        words += ["--option", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
    return "keras-faces " + shlex.join(["train", config.system, *words])
