"""``keras-faces evaluate RUN``: how good it is, in numbers that say what they were measured on."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import natural, trained_run, two_or_more

SPLITS = ("held-out", "training")  # of evaluate.py, which needs NumPy


def add(commands) -> None:
    """Add the command."""
    scoring = commands.add_parser(
        "evaluate", help="scores of a trained run, and its nearest photographs", allow_abbrev=False
    )
    scoring.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    add_scoring(scoring)
    scoring.add_argument("--data", help="where the photographs of the run are now (where they were)")
    scoring.add_argument(
        "--held-out", metavar="SOURCE", help="photographs that it was not trained on (those behind the run's --count)"
    )
    scoring.add_argument("--out", type=Path, help="the folder for scores and picture (RUN/evaluation)")
    scoring.set_defaults(command=evaluate_run)


def add_scoring(command: argparse.ArgumentParser) -> None:
    """How to score; `evaluate` and the benchmark of results share it."""
    command.add_argument(
        "--features",
        action="append",
        metavar="F",
        help="what describes a face by numbers: pixels, inception, classifier:RUN, file:PATH; may be given several "
        "times (pixels)",
    )
    command.add_argument("--count", type=two_or_more, default=2000, help="images of each side, at most (2000)")
    command.add_argument("--seed", type=natural, default=0, help="of the noise and of every draw (0)")
    command.add_argument("--against", choices=SPLITS, help="which photographs (held-out ones, if there are any)")


def asked_labels(model, count: int):
    """The labels that ``model.sample(count)`` asks for by itself; None for a system that has none."""
    if not hasattr(model, "usual_labels"):
        return None
    from keras_faces.data.labels import Labels

    return Labels(model.label_kind, model.label_names, model.usual_labels(count))


def evaluate_run(options: argparse.Namespace) -> None:
    """Score a run; write the scores as JSON and as a table, and one picture."""
    from keras_faces import evaluate as scoring
    from keras_faces import plots

    folder, config, model = trained_run(options.run)
    names = list(dict.fromkeys(options.features or ["pixels"]))
    found = scoring.photographs(config, options.data, options.held_out, options.count)
    evaluation = scoring.begin(folder, found, options.count, options.seed, options.against)
    print(f"{folder.path}: {scoring.title(evaluation)}; {found.note}")
    references = [scoring.Reference(found, name, options.count, options.seed, options.against) for name in names]
    faces, labels = model.sample(options.count, seed=options.seed), asked_labels(model, options.count)
    for name, reference in zip(names, references, strict=True):
        evaluation.scores[name] = reference.scores(faces, labels)
        print("\n" + scoring.report(evaluation.scores[name]))
    out = options.out or folder.path / "evaluation"
    evaluation.write(out)
    drawn = scoring.picture(faces, references[0], scoring.title(evaluation), scoring.history(folder))
    plots.save(drawn, out / "evaluation.png")
    print()
    for name, what in (("evaluation.png", "the picture"), ("scores.json", "all of it"), ("scores.csv", "as a table")):
        print(f"  {what + ':':<13} {out / name}")
