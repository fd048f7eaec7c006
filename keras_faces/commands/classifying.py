"""``keras-faces classify``: a classifier of one's own faces, to score conditional systems with."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import PRECISIONS, add_backend, add_data, backend_name, natural, positive, use_backend


def add(commands) -> None:
    """Add the command."""
    classify = commands.add_parser(
        "classify", help="train a classifier of attributes or people, for scores", allow_abbrev=False
    )
    classify.add_argument(
        "--labels",
        required=True,
        help='what to tell apart: "Smiling, Male" (attributes), "man = Male; girl = Young & !Male" (classes), '
        "identity:20 (people with 20 pictures or more), table.csv:column",
    )
    add_data(classify)
    classify.add_argument("--image-size", type=positive, default=64, help="side in pixels (64)")
    classify.add_argument("--epochs", type=positive, default=12, help="epochs (12)")
    classify.add_argument("--batch-size", type=positive, default=64, help="photographs an iteration (64)")
    classify.add_argument("--width", type=positive, default=32, help="channels of the first layer (32; the source: 64)")
    classify.add_argument(
        "--rate", type=_between_0_and_1, default=1e-3, help="Adam's rate, which falls to zero (0.001)"
    )
    classify.add_argument(
        "--held-out", type=_between_0_and_1, default=0.1, help="share of the faces to judge it by (0.1)"
    )
    classify.add_argument("--seed", type=natural, default=0, help="of weights, order and split (0)")
    classify.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="of the layers; auto: what is fastest here (auto)"
    )
    classify.add_argument("--out", type=Path, default=Path("runs/classifier"), help="the folder (runs/classifier)")
    add_backend(classify)
    classify.set_defaults(command=classify_faces)


def classify_faces(options: argparse.Namespace) -> None:
    """Train a classifier, and say how often it is right on faces that it has not seen."""
    from keras_faces.training.classifier_report import table
    from keras_faces.training.classifying import ClassifierConfig, ClassifierFolder, train

    folder = ClassifierFolder(options.out)
    folder.check_free()
    config = _config(options, ClassifierConfig)
    use_backend(config.backend)
    from keras_faces import data

    faces = data.load(
        config.data, config.image_size, count=config.count, seed=config.seed, crop=config.crop, strict=options.strict
    ).labelled(config.labels)
    print(faces.summary())
    found = train(folder, config, faces)
    print(f"\nOf {found['n_held_out']:,} held-out faces ({found['split']}), in per cent:\n")
    print(table(found, config.kind).to_string(na_rep="-"))
    print(
        f"\n{'top-1' if config.kind == 'classes' else 'mean'} accuracy: {found['accuracy']:.1%} held out, "
        f"{found['training_accuracy']:.1%} on the faces it learned from; {found['commonest']:.1%} by always giving "
        "the commonest answer."
    )
    for name, what in (("accuracy.png", "the curves"), ("mistakes.png", "its mistakes"), ("report.json", "the table")):
        print(f"  {what + ':':<13} {options.out / name}")
    print(f"  as features:  --features classifier:{options.out}")


def _config(options: argparse.Namespace, kind: type):
    """What was asked for; what was not given keeps the default of the configuration's ``kind``."""
    given = {key: value for key, value in vars(options).items() if key in kind.__dataclass_fields__}
    given = {key: value for key, value in given.items() if value is not None}
    return kind(**{**given, "backend": backend_name(options.backend)})


def _between_0_and_1(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and below 1")
    return value
