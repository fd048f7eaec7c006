"""Are the faces as good in bfloat16? The same trainings in float32 and in bfloat16, seed by seed, scored alike.

    ./run bench precision --data celeba --out precision
    ./run bench precision --data celeba --systems slides-v1 dcgan:width=32 --seeds 8 --epochs 20 --out precision

Two trainings with one seed begin with the same weights and see the same photographs in the same order. Rounding leads
them apart all the same, so that one pair says nothing: the table has the mean of each precision, and the mean of the
seeds' differences with its 95 % interval by Student's t. If the interval holds 0, no difference is shown.

    precision/dcgan/bfloat16-3/     a run folder for each precision and seed, as `keras-faces train` makes it
              precision.md          the table

A run that is finished is not trained again, and one that was broken off goes on.

See also: ``keras_faces/fast/autotune.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks._measured import machine
from benchmarks.results import Row, Scorer
from benchmarks.runs import train
from data_prep.engine.script import run
from keras_faces.cli.options import positive, two_or_more
from keras_faces.files import atomic_write
from keras_faces.metrics.features import get
from keras_faces.models.options import parse_system
from keras_faces.runs.folder import RunFolder

PRECISIONS = ("float32", "bfloat16")
SCORES = {"fid": "FID", "recall": "recall"}


def run_arguments(system: str, precision: str, seed: int, options: argparse.Namespace) -> list[str]:
    """Return the arguments of ``keras-faces train`` for one of the runs, without ``--data`` and ``--out``."""
    name, own = parse_system(system)
    words = [name, "--precision", precision, "--seed", str(seed), "--image-size", str(options.image_size)]
    words += ["--count", str(options.train_count), "--epochs", str(options.epochs)]
    words += ["--batch-size", str(options.batch_size), "--compiler", "graph"]
    words += ["--sample-every", "1000", "--checkpoint-every", "5000"]
    for key, value in own.items():
        words += ["--option", f"{key}={value}"]
    return words


def difference(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return the mean of ``second - first``, pair by pair, and half the width of its 95 % interval."""
    from scipy.stats import t

    differences = np.asarray(second) - np.asarray(first)
    deviation = differences.std(ddof=1) / np.sqrt(len(differences))
    return float(differences.mean()), float(t.ppf(0.975, len(differences) - 1) * deviation)


def table(found: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Return a markdown row for each system and score; ``found[system][score][precision]`` has one value per seed."""
    lines = ["| system | score | float32 | bfloat16 | bfloat16 − float32 | seeds |", "|---|---|---:|---:|---:|---:|"]
    for system, scores in found.items():
        for score, of in scores.items():
            first, second = (np.array(of[precision]) for precision in PRECISIONS)
            mean, reach = difference(first, second)
            digits = 1 if score == "FID" else 2
            cells = [f"{side.mean():.{digits}f} ± {side.std(ddof=1):.{digits}f}" for side in (first, second)]
            cells.append(f"{mean:+.{digits}f} [{mean - reach:+.{digits}f}, {mean + reach:+.{digits}f}]")
            lines.append(f"| {system} | {score} | {' | '.join(cells)} | {len(first)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    get(options.features)  # a mistake in it is told before anything is trained
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    scorer = Scorer([options.features], options.count, seed=0)
    for system in options.systems:
        scores = {title: {precision: [] for precision in PRECISIONS} for title in SCORES.values()}
        for seed in range(options.seeds):
            for precision in PRECISIONS:
                folder = options.out / system.replace(":", "-") / f"{precision}-{seed}"
                train(folder, run_arguments(system, precision, seed, options), options.data)
                row = Row(precision, f"{system}, seed {seed}", RunFolder(folder), options.data)
                scorer.score(row)
                for score in row.scores[options.features]:
                    if score.name in SCORES:
                        scores[SCORES[score.name]][precision].append(score.value)
            if seed:  # two pairs have a spread
                found[system] = scores
                write(found, options)
    print(f"\n{(options.out / 'precision.md').read_text(encoding='utf-8')}")
    return 0


def write(found: dict, options: argparse.Namespace) -> None:
    """Write ``precision.md`` from what is known so far."""
    size = options.image_size
    text = f"{machine()}. {options.epochs} epochs of {options.train_count} photographs, {size}×{size}, batches of "
    text += f"{options.batch_size}; scores by {options.features}, {options.count} images a side; mean ± standard "
    text += f"deviation over the seeds, mean difference with its 95 % interval.\n\n{table(found)}\n"
    with atomic_write(options.out / "precision.md") as beside:
        beside.write_text(text, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run bench precision", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="photographs, as for `keras-faces train`")
    parser.add_argument("--systems", nargs="+", default=["dcgan"], metavar="SYSTEM[:OPTION=VALUE,...]")
    parser.add_argument("--seeds", type=two_or_more, default=8, help="seeds 0, 1, ... (default: 8)")
    parser.add_argument("--image-size", type=positive, default=32, help="(default: 32)")
    parser.add_argument("--train-count", type=positive, default=3000, help="photographs to train on (default: 3000)")
    parser.add_argument("--epochs", type=positive, default=10, help="(default: 10)")
    parser.add_argument("--batch-size", type=positive, default=32, help="(default: 32)")
    parser.add_argument("--features", default="pixels", help="as in `evaluate` (default: pixels)")
    parser.add_argument("--count", type=two_or_more, default=1000, help="images of each side to score (default: 1000)")
    parser.add_argument("--out", type=Path, default=Path("precision"), help="the folder (default: precision)")
    return parser


if __name__ == "__main__":
    run(main)
