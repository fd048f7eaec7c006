"""``keras-faces classify``: a classifier of one's own faces, to score conditional systems with."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import (
    PRECISIONS,
    add_backend,
    add_data,
    backend_name,
    go_on,
    natural,
    positive,
    use_backend,
)


def add(commands) -> None:
    """Add the command."""
    classify = commands.add_parser(
        "classify", help="train a classifier of attributes or people, for scores", allow_abbrev=False
    )
    classify.add_argument(
        "--labels",
        help='what to tell apart: "Smiling, Male" (attributes), "man = Male; girl = Young & !Male" (classes), '
        "identity:20 (people with 20 pictures or more), table.csv:column",
    )
    add_data(classify)
    classify.add_argument("--image-size", type=positive, help="side in pixels (64)")
    classify.add_argument("--epochs", type=positive, help="epochs in all (12)")
    classify.add_argument("--batch-size", type=positive, help="photographs an iteration (64)")
    classify.add_argument("--width", type=positive, help="channels of the first layer (32; the source: 64)")
    classify.add_argument("--rate", type=_between_0_and_1, help="Adam's rate, which falls to zero (0.001)")
    classify.add_argument("--held-out", type=_between_0_and_1, help="share of the faces to judge it by (0.1)")
    classify.add_argument("--seed", type=natural, help="of weights, order and split (0)")
    classify.add_argument("--precision", choices=PRECISIONS, help="of the layers; auto: what is fastest here (auto)")
    classify.add_argument("--out", type=Path, default=Path("runs/classifier"), help="the folder (runs/classifier)")
    classify.add_argument("--resume", action="store_true", help="go on with the one in --out after its last epoch")
    add_backend(classify)
    classify.set_defaults(command=classify_faces)


def classify_faces(options: argparse.Namespace) -> None:
    """Train a classifier, and say how often it is right on faces that it has not seen."""
    from keras_faces.training.classifier_report import table
    from keras_faces.training.classifying import ClassifierConfig, ClassifierFolder, train

    folder = ClassifierFolder(options.out)
    if not options.resume:
        folder.check_free()
        config = _new_config(options, ClassifierConfig)
    else:
        config = go_on(folder, folder.read(), _given(options, ClassifierConfig), free=("data",))
    use_backend(config.backend)
    from keras_faces import data

    faces = data.load(
        config.data, config.image_size, count=config.count, seed=config.seed, crop=config.crop, strict=options.strict
    ).labelled(config.labels)
    print(faces.summary())
    found = train(folder, config, faces, resume=options.resume)
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


def _new_config(options: argparse.Namespace, kind: type):
    """What was asked for; what was not given keeps the default of the configuration's ``kind``."""
    if options.labels is None:
        raise ValueError('--labels is missing: what to tell apart, such as --labels "Smiling, Male".')
    return kind(**{"precision": "auto", **_given(options, kind), "backend": backend_name(options.backend)})


def _given(options: argparse.Namespace, kind: type) -> dict:
    """The options that were given and that the configuration's ``kind`` has."""
    given = {key: value for key, value in vars(options).items() if value is not None}
    return {key: value for key, value in given.items() if key in kind.__dataclass_fields__}


def _between_0_and_1(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and below 1")
    return value
