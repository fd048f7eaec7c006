"""Table 4.2 of the dissertation, in form: does a recogniser learn from faces that a GAN made?

    ./run bench augment runs/c --data PEOPLE --test STRANGERS --out augmentation
    ./run bench augment runs/c --per-label 200 --interpolated 40 --out augmentation        # drawn faces

RUN is a run of cvae-gan (or of another system that is told classes) that learned ``--labels identity`` on the
photographs of --data. The recogniser is the classifier of table 3.3, trained three times with the same number of steps:
on the photographs, on these and new faces of the same people, on these and faces of people between them. Each is asked
of pairs of strangers, the people of --test, whether they are the same person: the cosine of its features f_C, the
threshold from nine parts of the pairs for the tenth, as LFW has it (``keras_faces/metrics/verification.py``).

    augmentation/known.h5, new.h5    what `keras-faces augment` makes
                 without/ ...        a recogniser's folder each, as `keras-faces classify` makes it
                 table.md, table.csv the accuracies beside the source's

What to read next: ``keras_faces/applications/augment.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._measured import machine
from data_prep.engine.script import run
from keras_faces.cli.options import natural, positive
from keras_faces.files import atomic_write
from keras_faces.runs.folder import trained_run

if TYPE_CHECKING:
    from keras_faces.data import Faces

SOURCE = {"without": 91.87, "known": 92.77, "new": 92.98}  # table 4.2: FaceScrub, judged by LFW
WAYS = {"without": "photographs alone", "known": "and known labels", "new": "and new labels"}


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    folder, config, model = trained_run(options.run)
    if getattr(model, "label_kind", "") != "classes":
        raise ValueError(f"{options.run}: its labels are no people; train it with --labels identity.")
    people = photographs(config, options.data)
    strangers, known_by = strangers_of(config, people, options)
    made = {"known": options.out / "known.h5", "new": options.out / "new.h5"}
    options.out.mkdir(parents=True, exist_ok=True)
    make(model, made, options)
    rows = []
    for way in WAYS:
        faces = joined(people, None if way == "without" else made[way])
        recogniser = learn(options.out / way, faces, config.image_size, len(people), options)
        rows.append(judged(way, recogniser, strangers, faces, options))
        write(rows, f"{known_by}; {options.iterations:,} steps of {options.batch_size}", options)
    print((options.out / "table.md").read_text(encoding="utf-8"))
    return 0


def photographs(config: Any, data: str | None) -> Faces:
    """What the run was trained on, with its classes."""
    from dataclasses import replace

    found = replace(config, data=data or config.data).faces()
    if config.fingerprint not in ("", found.fingerprint()):
        raise ValueError(
            f"{data or config.data} does not hold the photographs that the run was trained on; see --data."
        )
    return found


def strangers_of(config: Any, people: Faces, options: argparse.Namespace) -> tuple[Faces, str]:
    """Faces of people that nobody has learned: --test, or drawings of another seed."""
    from keras_faces.data import load

    if options.test is None and config.data != "drawn":
        raise ValueError("--test: name a folder of people, or a packed file, that are not among those of --data.")
    seed = config.seed + 1 if options.test is None else 0
    count = options.test_count if options.test is None else None
    found = load(options.test or "drawn", config.image_size, count=count, seed=seed, crop=config.crop)
    if found.identities is None:
        raise ValueError(f"--test {options.test}: it is not known who is on these pictures.")
    both = set(people.labels.names) & set(found.identity_names or ())
    if both:
        keep = [number for number, who in enumerate(found.identities) if found.identity_names[who] not in both]
        found = found.take(np.asarray(keep))
    note = f", {len(both)} people of the training left out" if both else ""
    return found, f"pairs of {len(np.unique(found.identities)):,} strangers from {found.source}{note}"


def make(model: Any, files: dict[str, Path], options: argparse.Namespace) -> None:
    """The two packed files, if they are not there."""
    from keras_faces.applications.augment import augment

    if not files["known"].exists():
        augment(model, files["known"], options.per_label, seed=options.seed)
    if not files["new"].exists():
        augment(model, files["new"], 0, options.interpolated, options.per_new, seed=options.seed)


def joined(people: Faces, file: Path | None) -> Faces:
    """Photographs, and made faces behind them: of the same people where the names agree, else of new ones."""
    from keras_faces.data import Faces, load
    from keras_faces.data.labels import Labels

    names, numbers = list(people.labels.names), people.labels.class_ids
    images = np.asarray(people.images[np.arange(len(people))])
    if file is not None:
        more = load(file, people.image_size)
        worn = sorted(set(more.identities.tolist()))
        names += [more.identity_names[who] for who in worn if more.identity_names[who] not in names]
        place = {who: names.index(more.identity_names[who]) for who in worn}
        numbers = np.concatenate([numbers, [place[who] for who in more.identities.tolist()]])
        images = np.concatenate([images, np.asarray(more.images[np.arange(len(more))])])
    labels = Labels("classes", tuple(names), np.eye(len(names), dtype="float32")[numbers])
    return Faces(images, labels=labels, source=f"{people.source} and {file}" if file else people.source)


def learn(path: Path, faces: Faces, image_size: int, photographs: int, options: argparse.Namespace) -> Path:
    """A recogniser of these people, with as many steps as the others; one that was stopped goes on."""
    from keras_faces.runs.classifier import classify

    held_out = max(0.05, 0.6 / np.bincount(faces.labels.class_ids).max())  # one face of somebody at least
    steps = max(1, int((1 - held_out) * len(faces)) // options.batch_size)
    epochs = max(1, round(options.iterations / steps))
    print(f"\n{path.name}: {len(faces):,} faces of {len(faces.labels.names):,} people, {epochs} epochs")
    asked = {"batch_size": options.batch_size, "width": options.width, "held_out": held_out, "seed": options.seed}
    classify("identity", faces, epochs=epochs, **asked, precision=options.precision, out=path, resume=True)
    return path


def judged(way: str, recogniser: Path, strangers: Faces, faces: Faces, options: argparse.Namespace) -> dict[str, Any]:
    """A line of the table."""
    from keras_faces.metrics import identity_verification

    score = identity_verification(
        strangers, strangers.identities, f"classifier:{recogniser}", pairs=options.pairs, seed=options.seed
    )
    known = {"way": way, "faces": len(faces), "people": len(faces.labels.names), "pairs": score.n_real}
    return known | {
        "accuracy": 100 * score.value,
        "low": 100 * score.low,
        "high": 100 * score.high,
        "source": SOURCE[way],
    }


def write(rows: list[dict], note: str, options: argparse.Namespace) -> None:
    """Write the table from what is known so far."""
    import pandas

    whole = pandas.DataFrame(rows)
    with atomic_write(options.out / "table.csv") as beside:
        whole.assign(machine=machine()).to_csv(beside, index=False)
    lines = [
        f"{rows[0]['pairs']:,} {note}.",
        "",
        "| recogniser learned from | faces | people | accuracy, % (95 %) | source |",
    ]
    lines += ["|---|---:|---:|---:|---:|"]
    for row in rows:
        accuracy = f"{row['accuracy']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        lines.append(
            f"| {WAYS[row['way']]} | {row['faces']:,} | {row['people']:,} | {accuracy} | {row['source']:.2f} |"
        )
    with atomic_write(options.out / "table.md") as beside:
        beside.write_text("\n".join([*lines, "", f"{machine()}.", ""]), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augment", description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN", help="a run of cvae-gan that learned people")
    parser.add_argument("--data", help="where its photographs are now (default: where they were)")
    parser.add_argument("--test", help="strangers: a folder of people, or a packed file (drawn runs: other drawings)")
    parser.add_argument("--test-count", type=positive, default=2000, help="drawings of strangers (default: 2000)")
    parser.add_argument("--pairs", type=positive, default=2000, help="pairs of strangers, at most (default: 2000)")
    parser.add_argument("--per-label", type=positive, default=200, help="faces of each known label (default: 200)")
    parser.add_argument("--interpolated", type=positive, default=200, help="new labels (default: 200; source: 5000)")
    parser.add_argument("--per-new", type=positive, default=100, help="faces of each new label (default: 100)")
    parser.add_argument("--iterations", type=positive, default=2000, help="steps of each recogniser (default: 2000)")
    parser.add_argument("--batch-size", type=positive, default=64, help="(default: 64)")
    parser.add_argument("--width", type=positive, default=32, help="of the recogniser (default: 32; the source: 64)")
    parser.add_argument("--precision", default="auto", help="of its layers (default: auto)")
    parser.add_argument("--seed", type=natural, default=0, help="of all (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("augmentation"), help="the folder (default: augmentation)")
    return parser


if __name__ == "__main__":
    run(main)
