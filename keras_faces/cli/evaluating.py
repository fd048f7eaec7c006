"""``keras-faces evaluate`` and ``consistency``: scores of a trained run."""

from __future__ import annotations

import argparse

from keras_faces.cli.options import (
    add_command,
    add_run,
    add_seed,
    given,
    path,
    positive,
    two_or_more,
)
from keras_faces.cli.pictures import conditional_run
from keras_faces.outputs import check_out_folder
from keras_faces.runs.folder import trained_run, write_json

SPLITS = ("held-out", "training")  # of runs/reference.py, which needs NumPy


def register(commands) -> None:
    """Add both commands."""
    scoring = add_command(commands, "evaluate", evaluate_run, "scores of a trained run, and its nearest photographs")
    add_run(scoring)
    add_scoring(scoring)
    scoring.add_argument("--data", type=given, help="where the photographs of the run are now (where they were)")
    scoring.add_argument(
        "--held-out",
        type=given,
        metavar="SOURCE",
        help="photographs that it was not trained on (those behind the run's --count)",
    )
    scoring.add_argument("--out", type=path, help="the folder for scores and picture (RUN/evaluation)")

    consistency = add_command(
        commands, "consistency", measure, "does a classifier find the labels that the faces were asked for?"
    )
    add_run(consistency, "a run folder of a conditional system")
    consistency.add_argument(
        "--classifier", type=path, required=True, metavar="RUN", help="a run of `keras-faces classify`, same --labels"
    )
    consistency.add_argument("--count", type=positive, default=1000, help="how many faces to ask for (1000)")
    add_seed(consistency, "of noise and labels")


def add_scoring(command: argparse.ArgumentParser) -> None:
    """Add how to score; `evaluate` and the benchmark of results share it."""
    command.add_argument(
        "--features",
        action="append",
        metavar="F",
        help="what the scores compare: pixels, inception, classifier:RUN, file:PATH; may be given again (pixels)",
    )
    command.add_argument("--count", type=two_or_more, default=2000, help="images of each side, at most (2000)")
    add_seed(command, "of the noise and of every draw")
    command.add_argument("--against", choices=SPLITS, help="which photographs (held-out ones, if there are any)")


def evaluate_run(options: argparse.Namespace) -> None:
    """Score a run; write the scores as JSON and as a table, and one picture."""
    from keras_faces.figures import grids
    from keras_faces.runs import evaluate as scoring
    from keras_faces.runs.reference import Reference, photographs

    if options.out is not None and not (options.out / "scores.json").exists():
        check_out_folder(options.out)
    folder, config, model = trained_run(options.run)
    names = list(dict.fromkeys(options.features or ["pixels"]))
    found = photographs(config, options.data, options.held_out, options.count)
    evaluation = scoring.begin(folder, found, options.count, options.seed, options.against)
    print(f"{folder.path}: {scoring.title(evaluation)}; {found.note}")
    references = [Reference(found, name, options.count, options.seed, options.against) for name in names]
    faces, labels = model.sample(options.count, seed=options.seed), scoring.usual_labels(model, options.count)
    for name, reference in zip(names, references, strict=True):
        evaluation.scores[name] = reference.scores(faces, labels)
        print("\n" + scoring.report(evaluation.scores[name]))
    out = options.out or folder.path / "evaluation"
    evaluation.write(out)
    drawn = scoring.picture(faces, references[0], scoring.title(evaluation), scoring.history(folder))
    grids.save(drawn, out / "evaluation.png")
    print()
    for name, what in (("evaluation.png", "the picture"), ("scores.json", "all of it"), ("scores.csv", "as a table")):
        print(f"  {what + ':':<13} {out / name}")


def measure(options: argparse.Namespace) -> None:
    """Print the table, generated beside held-out real faces, and write it to ``RUN/consistency.json``."""
    model = conditional_run(options.run)
    from keras_faces.runs.evaluate import consistency

    found, table = consistency(model, options.classifier, options.count, options.seed)
    out = options.run / "consistency.json"
    write_json(out, found)
    print(f"{options.count:,} faces of {options.run}, judged by {found['classifier']}\n")
    print(table.to_string(na_rep="-", float_format=lambda value: f"{value:.1f}"))
    print(f"\nIn per cent; real: held-out photographs, by the classifier's own report. {out}")
