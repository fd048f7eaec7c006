"""Every system on the same photographs at a stated budget, trained and scored: the table of docs/how-good-is-it.md.

    ./run bench results --data chinese=afdb_chinese --data celeba32=celeba --out results
    ./run bench results --data celeba32=celeba --systems dcgan sngan --features file:recogniser --out results
    ./run bench results --data celeba32=celeba --no-training --out results     # score what is there

    results/celeba32/dcgan/      a run folder for each, as `keras-faces train` makes it, with its evaluation
            celeba32/faces.png   nine faces of each
            results.md           a table for each set and each kind of features
            results.csv          the same numbers with intervals, counts, warnings and commands

`SETS` says how each set of photographs is read, `BUDGET` how long each system is trained on it. A run that is finished
is not trained again and a score that is there is not measured again, so that the table can be stopped, gone on with,
and grow. A run that is there already counts with the settings of its own ``config.json``: the table and the commands
below it are written from that. The budgets are minutes; it is no race, and none of these systems has come to its end.

What to read next: ``keras_faces/runs/evaluate.py``.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._measured import machine
from benchmarks._results_table import markdown, table
from data_prep.engine.script import run
from keras_faces.cli.options import natural, two_or_more
from keras_faces.files import atomic_write
from keras_faces.runs.folder import RunError, RunFolder, trained_run

if TYPE_CHECKING:
    from keras_faces.runs.reference import Photographs, Reference


@dataclass(frozen=True)
class Set:
    """How the photographs of a set are read: side in pixels, and how many of them train (None: all)."""

    image_size: int
    count: int | None = None


SETS = {
    "chinese": Set(32),  # 671 Chinese celebrities
    "celeba32": Set(32, 3000),  # CelebA; the photographs behind the first 3,000 are held out
    "celeba64": Set(64, 3000),
    "lfw": Set(125),  # LFW's development training split, the second paper's size
}

# Epochs on each set; None: not trained, because the system cannot make that size or would need hours.
BUDGET: dict[str, dict[str, int | None]] = {
    name: dict(zip(SETS, epochs, strict=True))
    for name, epochs in {
        "slides-v1": (20, 4, None, None),
        "slides-v2": (10, 8, None, None),
        "gan": (100, 20, 10, 8),
        "dcgan": (200, 10, 8, 8),
        "linear": (80, 20, 10, 5),
        "linear-tanh": (80, 20, 15, 12),
        "conv": (40, 15, 15, 8),
        "multistage": (40, 15, 15, 8),
        "lsgan": (120, 10, 24, 14),
        "wgan": (80, 25, 40, 12),
        "wgan-gp": (60, 14, 12, 20),
        "sngan": (60, 9, 6, 5),
        "sagan": (30, 11, 8, 7),
        "pggan": (30, 8, 8, None),
        "stylegan": (30, 17, 18, None),
    }.items()
}
# A dense D learns a small set by heart before a dense G has drawn an outline: R1 keeps it from that, and where tanh's
# zero, grey, would be G's way out, a distance instead of a classification. On 671 photographs gan's G gets grainy with
# time, an average of its weights does not. Several steps of D for each of G are dear: half the channels, and more steps
# for it. At 125×125 five steps bring wgan's critic to its bound before G has moved. There, and for 500 iterations at
# 64×64, lsgan's D swings from step to step while G stays grey; a small R1 frees it.
SMOOTH = ["--r1", "10", "--option", "d_learning_rate=2e-4"]
DISTANCE = ["--loss", "wgan-gp", "--option", "d_learning_rate=2e-4"]
NARROW = ["--option", "width=32"]
RULES = {
    ("linear", "chinese"): SMOOTH,
    ("linear", "celeba32"): SMOOTH,
    ("linear", "celeba64"): SMOOTH,
    ("linear-tanh", "chinese"): SMOOTH,
    ("linear-tanh", "celeba32"): SMOOTH,
    ("linear-tanh", "celeba64"): DISTANCE,
    ("linear-tanh", "lfw"): DISTANCE,
    ("gan", "chinese"): ["--average", "0.99"],
    ("wgan", "celeba64"): NARROW,
    ("lsgan", "celeba64"): [*NARROW, "--r1", "1"],
    ("lsgan", "lfw"): [*NARROW, "--r1", "1"],
    ("wgan", "lfw"): [*NARROW, "--option", "d_steps=2"],
    ("wgan-gp", "lfw"): ["--option", "width=24"],
}
BATCH_SIZE, SMALL_BATCHES = 32, {"slides-v2": 16, "pggan": 16, "stylegan": 16}
# A batch for one size alone: small pictures leave room for sagan's larger one; what learns slowly at 125×125 makes
# twice as many steps of the same photographs.
BATCHES_AT = {("sagan", 32): 64, **{(name, 125): 16 for name in ("lsgan", "wgan", "wgan-gp", "sngan", "sagan")}}
EVERY = ["--precision", "bfloat16", "--compiler", "graph", "--seed", "0"]
EVERY += ["--sample-every", "50", "--checkpoint-every", "5000"]
PHOTOGRAPHS = "photographs"  # the row in which training photographs stand in for fakes


@dataclass
class Row:
    """A system on a set: its run folder, what became of its training, and its scores by what was asked as features."""

    name: str
    system: str
    folder: RunFolder
    data: str
    state: str = "not begun"
    scores: dict[str, list[Any]] = field(default_factory=dict)

    def train_command(self) -> list[str]:
        """What trains it from the beginning."""
        chosen = SETS[self.name]
        small = SMALL_BATCHES.get(self.system, BATCH_SIZE)
        batch_size = BATCHES_AT.get((self.system, chosen.image_size), small)
        count = [] if chosen.count is None else ["--count", str(chosen.count)]
        given = ["--data", self.data, *count, "--image-size", str(chosen.image_size)]
        given += ["--epochs", str(BUDGET[self.system][self.name]), "--batch-size", str(batch_size), *EVERY]
        rule = RULES.get((self.system, self.name), [])
        return ["train", self.system, *given, *rule, "--out", str(self.folder.path)]


# ------------------------------------------------------------------------------------------------- the runs


def train(row: Row) -> None:
    """Train what is not finished, in a process of its own, by the command that the table names."""
    if row.state == "finished":
        return
    begun = row.folder.config_file.exists()
    command = (
        ["train", row.system, "--data", row.data, "--resume", "--out", str(row.folder.path)]
        if begun
        else row.train_command()
    )
    print(f"\n{row.name}, {row.system}: keras-faces {shlex.join(command)}", flush=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    code = subprocess.run([sys.executable, "-m", "keras_faces", *command], env=environment).returncode
    row.state = state_of(row.folder)
    if code == 3:
        row.state = "training lost" + row.state.removeprefix("broken off").removeprefix("not begun")
    elif code:
        row.state += f" (keras-faces ended with {code})"


def state_of(folder: RunFolder) -> str:
    """What became of a run: "finished", "not begun", "being trained", "broken off in epoch 3, iteration 20", ..."""
    import pandas

    if not folder.checkpoint.exists():
        return "not begun"
    if is_held(folder):
        return "being trained"
    try:
        epoch, iteration = folder.place()
    except RunError:
        return "damaged checkpoint"
    log = pandas.read_csv(folder.log) if folder.log.exists() else pandas.DataFrame({"iteration": []})
    epoch_is_over = iteration == log["iteration"].max()  # the log has the end of each epoch
    if folder.model.exists() and epoch_is_over and epoch == folder.read().epochs:
        return "finished"
    return f"broken off in epoch {epoch}, iteration {iteration}"


def is_held(folder: RunFolder) -> bool:
    """Whether another process trains into the folder now."""
    from keras_faces.files import lock

    try:
        with open(folder.path / ".lock", "ab") as held:
            lock(held, folder.path)
    except ValueError:
        return True
    return False


# ----------------------------------------------------------------------------------------------- the scores


class Scorer:
    """Scores the runs of one set; the photographs are read, and described by features, once and when needed."""

    def __init__(self, features: list[str], count: int, seed: int) -> None:
        self.features, self.count, self.seed = features, count, seed
        self.photographs: Photographs | None = None
        self.references: dict[str, Reference] = {}

    def score(self, row: Row) -> None:
        """Give the row its scores: those of its folder, and what they lack."""
        from keras_faces.runs import evaluate, reference

        config = row.folder.read()
        if self.photographs is None:
            self.photographs = reference.photographs(config, row.data, count=self.count)
        elif config.fingerprint != self.photographs.training.fingerprint():
            raise RunError(f"{row.folder.path} was trained on other photographs than the runs before it.")
        found = evaluate.begin(row.folder, self.photographs, self.count, self.seed)
        if missing := [name for name in self.features if name not in found.scores]:
            print(f"{row.name}, {row.system}: scores by {', '.join(missing)}", flush=True)
            _, _, model = trained_run(row.folder.path)
            faces = model.sample(self.count, seed=self.seed)
            for name in missing:
                found.scores[name] = self.reference(name).scores(faces)
                found.write(row.folder.path / "evaluation")
        row.scores = {name: found.scores[name] for name in self.features}

    def score_photographs(self, row: Row) -> None:
        """Score training photographs as if they were fakes: what faces that cannot be told from photographs get."""
        from keras_faces.runs.evaluate import Evaluation
        from keras_faces.runs.reference import some

        if self.photographs is None or self.photographs.held_out is None:
            return
        training, held_out = self.photographs.training, self.photographs.held_out
        what = (row.system, training.image_size, 0, 0, training.fingerprint(), held_out.fingerprint())
        found = Evaluation(*what, self.count, self.seed, "held-out", self.photographs.note)
        found.take_over(row.folder.path)
        for name in self.features:
            if name not in found.scores:
                chosen = training.images[some(len(training), self.count, self.seed)]
                found.scores[name] = self.reference(name).scores(chosen)
                found.write(row.folder.path)
        row.scores = {name: found.scores[name] for name in self.features}

    def reference(self, name: str) -> Reference:
        from keras_faces.runs.reference import Reference

        if name not in self.references:
            self.references[name] = Reference(self.photographs, name, self.count, self.seed)
        return self.references[name]


# ---------------------------------------------------------------------------------------------- the command


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    rows = planned(options)
    features = list(dict.fromkeys(options.features or ["pixels"]))
    for name in dict.fromkeys(row.name for row in rows):
        scorer, of_set = Scorer(features, options.count, options.seed), [row for row in rows if row.name == name]
        for row in of_set:
            row.state = state_of(row.folder)
            if not options.no_training:
                train(row)
            if row.state not in ("not begun", "being trained") and row.folder.checkpoint.exists():
                try:
                    scorer.score(row)
                except (ValueError, RuntimeError, OSError) as error:  # the other rows do without it
                    row.state = f"not scored: {error}"
                    print(row.state, file=sys.stderr)
            write(rows, options)
        photographs = Row(name, PHOTOGRAPHS, RunFolder(options.out / name / PHOTOGRAPHS), of_set[0].data, state="")
        scorer.score_photographs(photographs)
        if photographs.scores:
            rows.append(photographs)
        write(rows, options)
        draw([row for row in of_set if row.scores], options.out / name / "faces.png", options.seed)
    print(f"\n{(options.out / 'results.md').read_text(encoding='utf-8')}\n{options.out / 'results.csv'}")
    return 0 if all(row.state in ("finished", "") for row in rows) else 3


def planned(options: argparse.Namespace) -> list[Row]:
    """The runs that are asked for; every mistake in the options is told before anything is trained."""
    from keras_faces.metrics.features import get

    for features in options.features or ():
        get(features)
    rows = []
    for text in options.data:
        name, _, data = text.partition("=")
        if name not in SETS or not data:
            raise ValueError(f"--data {text}: write NAME=FOLDER with one of the names {', '.join(SETS)}.")
        if not Path(data).exists():
            raise FileNotFoundError(f"--data {text}: there is no {data}.")
        for system in options.systems:
            if BUDGET[system][name] is not None:
                rows.append(Row(name, system, RunFolder(options.out / name / system), data))
    if not rows:
        raise ValueError(f"no budget for {', '.join(options.systems)} on {', '.join(options.data)}.")
    return rows


def draw(rows: list[Row], path: Path, seed: int) -> None:
    """Nine faces of each scored run, a row a system."""
    from keras_faces.figures import grids

    faces = [(row.system, trained_run(row.folder.path)[2].sample(9, seed=seed)) for row in rows]
    if faces:
        grids.save(grids.evolution(faces), path)


def write(rows: list[Row], options: argparse.Namespace) -> None:
    """Write both files from what is known so far; nobody loses a table to Ctrl-C."""
    options.out.mkdir(parents=True, exist_ok=True)
    whole = table(rows)
    with atomic_write(options.out / "results.csv") as beside:
        whole.assign(machine=machine()).to_csv(beside, index=False)
    evaluated = ["evaluate", "RUN", "--count", str(options.count), "--seed", str(options.seed)]
    for features in options.features or ["pixels"]:
        kind, colon, path = features.partition(":")
        evaluated += ["--features", f"{kind}{colon}{Path(path).name if colon else ''}"]
    with atomic_write(options.out / "results.md") as beside:
        beside.write_text(markdown(whole, machine(), f"keras-faces {shlex.join(evaluated)}"), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--data", action="append", required=True, metavar="NAME=FOLDER", help=f"photographs of {', '.join(SETS)}"
    )
    parser.add_argument("--systems", nargs="+", choices=list(BUDGET), default=list(BUDGET), help="(default: all)")
    parser.add_argument("--features", action="append", metavar="F", help="as in `evaluate` (default: pixels)")
    parser.add_argument("--count", type=two_or_more, default=2000, help="images of each side (default: 2000)")
    parser.add_argument("--seed", type=natural, default=0, help="of noise and draws (default: 0)")
    parser.add_argument("--no-training", action="store_true", help="score what is there")
    parser.add_argument("--out", type=Path, default=Path("results"), help="the folder (default: results)")
    return parser


if __name__ == "__main__":
    run(main)
