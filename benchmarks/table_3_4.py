"""Tables 3.4 and 4.1 of the dissertation, in form: is the label kept, and are the faces sure and various?

    ./run bench table_3_4 --data celeba64.h5 --labels identity:20 --image-size 64 --epochs 100 --out table-3-4
    ./run bench table_3_4 --data drawn --count 4000 --labels "man = Male; woman = !Male" --out table-3-4

    table-3-4/judge/          the classifier that counts; `--classifier RUN` takes another one
              cgan/ ...       a run folder for each system, as `keras-faces train` makes it
              table.md        the table, beside the source's numbers
              table.csv       the same with intervals and counts
              faces.png       figure 3.6: a class or two, a row each of photographs and of each system

Top-1 is the share of the faces G(z, y) that the judge takes for y; the inception score is of the judge's own
probabilities (the source has two recognisers, one trained on CASIA, for these). No system has met the judge: the C of
fm-cgan and cvae-gan is one of their own. The row "real" is of photographs that the judge has not learned from.

What is trained or scored is not done again, so the table can be stopped and grow. What to read next: ``runs.py``,
``keras_faces/metrics/consistency.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import runs
from benchmarks.results import machine
from data_prep.engine.script import run
from keras_faces.cli.options import natural, positive
from keras_faces.files import atomic_write
from keras_faces.runs.folder import trained_run

if TYPE_CHECKING:
    import pandas

    from keras_faces.data import Faces
    from keras_faces.metrics import Features

# Top-1 in per cent and inception score on FaceScrub, 530 people: tables 3.4 and 4.1.
SOURCE = {
    "real": (99.61, 20.85),
    "cvae": (8.09, 10.29),
    "cgan": (61.97, 15.79),
    "fm-cgan": (79.76, 19.40),
    "cvae-gan": (97.78, 19.03),
}
SYSTEMS = [name for name in SOURCE if name != "real"]


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    from keras_faces.data import load

    faces = load(options.data, options.image_size, count=options.count, seed=options.seed).labelled(options.labels)
    if faces.labels.kind != "classes":
        raise ValueError(f"--labels {options.labels}: top-1 is of classes, such as identity:20 or 'man = Male; ...'.")
    print(faces.summary())
    judge = judge_of(options)
    features = judging(judge, faces.labels.names)
    real = held_out(faces, judge)
    rows = [row("real", *real, features, options.seed)]
    drawn = [("photographs", shown(faces, options.seed))]
    for system in options.systems:
        path = options.out / system
        runs.train(path, train_arguments(system, options), options.data)
        _, _, model = trained_run(path)
        wanted = np.repeat(np.eye(len(model.label_names), dtype="float32"), options.per_class, axis=0)
        rows.append(row(system, model.sample(len(wanted), seed=options.seed, labels=wanted), wanted, features))
        drawn.append((system, made(model, options.seed)))
        write(rows, drawn, features, options)
    write(rows, drawn, features, options)
    print((options.out / "table.md").read_text(encoding="utf-8"))
    return 0


def train_arguments(system: str, options: argparse.Namespace) -> list[str]:
    """The system, and the same budget for each."""
    words = [system, "--labels", options.labels, "--image-size", str(options.image_size)]
    words += ["--epochs", str(options.epochs), "--batch-size", str(options.batch_size), "--seed", str(options.seed)]
    words += ["--precision", options.precision] + (["--count", str(options.count)] if options.count else [])
    for option in options.option:
        name, _, setting = option.rpartition(":")
        if name in ("", system):
            words += ["--option", setting]
    return words


# ------------------------------------------------------------------------------------------------- the judge


def judge_of(options: argparse.Namespace) -> Path:
    """The folder of the classifier that counts, trained if it is not there."""
    if options.classifier is not None:
        return options.classifier
    words = ["--labels", options.labels, "--image-size", str(options.image_size), "--seed", str(options.seed + 1)]
    words += ["--epochs", str(options.judge_epochs)] + (["--count", str(options.count)] if options.count else [])
    runs.classify(options.out / "judge", words, options.data)
    return options.out / "judge"


def judging(judge: Path, names: tuple[str, ...]) -> Features:
    """The judge as features, if it knows these classes in this order."""
    from keras_faces.metrics.features import get

    features = get(f"classifier:{judge}")
    if tuple(features.class_names) != tuple(names):
        raise ValueError(f"{judge} knows other classes than --labels has: leave --classifier out, and one is trained.")
    return features


def held_out(faces: Faces, judge: Path) -> tuple[np.ndarray, np.ndarray]:
    """Photographs that the judge has not learned from, with their labels; all, if it learned from other files."""
    from keras_faces.runs.classifier import ClassifierFolder, split

    config = ClassifierFolder(judge).read()
    chosen = np.arange(len(faces))
    if config.fingerprint == faces.fingerprint():
        chosen = split(faces.labels, config.held_out, config.seed)[1]
    return np.asarray(faces.images[chosen]), faces.labels.vectors[chosen]


def row(name: str, images: np.ndarray, wanted: np.ndarray, features: Features, seed: int = 0) -> dict[str, Any]:
    """A line of the table."""
    from keras_faces.metrics import inception_score, label_consistency

    top = label_consistency(images, wanted, features, seed=seed)
    score = inception_score(images, features, splits=1, seed=seed)
    known = {"system": name, "faces": len(images)}
    known |= {"top_1": 100 * top.value, "top_1_low": 100 * top.low, "top_1_high": 100 * top.high}
    known |= {"inception": score.value, "inception_low": score.low, "inception_high": score.high}
    return known | dict(zip(("source_top_1", "source_inception"), SOURCE[name], strict=True))


# ------------------------------------------------------------------------------------------ picture and table


def shown(faces: Faces, seed: int, across: int = 10) -> np.ndarray:
    """Photographs of the first and of the last class, five each."""
    numbers = faces.labels.class_ids
    random = np.random.default_rng(seed)
    ends = [np.flatnonzero(numbers == number) for number in (0, len(faces.labels.names) - 1)]
    chosen = np.concatenate([random.choice(mine, across // 2, replace=len(mine) < across // 2) for mine in ends])
    return np.asarray([faces.images[int(number)] for number in chosen])


def made(model: Any, seed: int, across: int = 10) -> np.ndarray:
    """Faces of the same two classes."""
    labels = [model.label_names[0]] * (across // 2) + [model.label_names[-1]] * (across // 2)
    return model.sample(across, seed=seed, labels=labels)


def write(rows: list[dict], drawn: list[tuple[str, np.ndarray]], features: Features, options) -> None:
    """Write the table and the picture from what is known so far."""
    import pandas

    from keras_faces.figures import grids

    whole = pandas.DataFrame(rows)
    options.out.mkdir(parents=True, exist_ok=True)
    with atomic_write(options.out / "table.csv") as beside:
        whole.assign(machine=machine()).to_csv(beside, index=False)
    with atomic_write(options.out / "table.md") as beside:
        beside.write_text(markdown(whole, features, options), encoding="utf-8")
    grids.save(
        grids.evolution([(name, grids.magnify(images, 96)) for name, images in drawn]), options.out / "faces.png"
    )


def markdown(whole: pandas.DataFrame, features: Features, options: argparse.Namespace) -> str:
    """The table beside the source's."""
    classes = len(features.class_names)
    lines = [
        f"{options.labels}, {classes} classes, {options.image_size}×{options.image_size}, {options.epochs} epochs of "
        f"batches of {options.batch_size}; judged by {features.name}. Chance is {100 / classes:.1f} %.",
        "",
        "| | faces | top-1, % (95 %) | inception score | source: top-1 | source: inception |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for line in whole.itertuples():
        lines.append(
            f"| {line.system} | {line.faces:,} | {line.top_1:.1f} [{line.top_1_low:.1f}, {line.top_1_high:.1f}] | "
            f"{line.inception:.2f} | {line.source_top_1:.2f} | {line.source_inception:.2f} |"
        )
    lines += ["", f"The inception score ends at {classes}, the source's at the number of its recogniser's people."]
    return "\n".join([*lines, f"{machine()}.", ""])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table_3_4", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="drawn", help="photographs with labels (default: drawn)")
    parser.add_argument("--labels", required=True, help="classes: identity:20, 'man = Male; woman = !Male', ...")
    parser.add_argument("--image-size", type=positive, default=32, help="16, 32, 64 or 128 (default: 32)")
    parser.add_argument("--count", type=positive, help="how many photographs (default: all; 10,000 drawn ones)")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS, help="(default: all four)")
    parser.add_argument("--epochs", type=positive, default=20, help="of each system (default: 20)")
    parser.add_argument("--batch-size", type=positive, default=64, help="(default: 64; the source: 128)")
    parser.add_argument("--precision", default="auto", help="of the systems' layers (default: auto)")
    parser.add_argument(
        "--option", action="append", default=[], metavar="[SYSTEM:]KEY=VALUE", help="of all systems or of one"
    )
    parser.add_argument("--classifier", type=Path, metavar="RUN", help="the judge (default: one is trained)")
    parser.add_argument("--judge-epochs", type=positive, default=12, help="epochs of the judge (default: 12)")
    parser.add_argument("--per-class", type=positive, default=100, help="faces of each class (default: 100)")
    parser.add_argument("--seed", type=natural, default=0, help="of weights, order, noise (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("table-3-4"), help="the folder (default: table-3-4)")
    return parser


if __name__ == "__main__":
    run(main)
