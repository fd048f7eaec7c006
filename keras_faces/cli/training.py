"""``keras-faces train``, ``demo``, ``classify`` and ``compare``: everything that trains."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.cli.options import (
    COMPILERS,
    LOSSES,
    PRECISIONS,
    add_backend,
    add_command,
    add_data,
    add_old,
    arguments,
    between_0_and_1,
    decay,
    given,
    natural,
    path,
    positive,
    weight,
)
from keras_faces.runs.folder import RunFolder

# Options of `train` that are options of the system or of its training, as `kf.models.build` takes them.
RULE = ("loss", "stages", "average", "r1", "d_steps", "separate_batches", "label_smoothing")


def register(commands) -> None:
    """Add the four commands. The default None means not given: what is resumed keeps its own value."""
    training = add_command(commands, "train", train, "train a system into a run folder")
    training.add_argument("system", metavar="NAME", help="a system, see `keras-faces list`")
    _add_training(training)
    _add_rule(training)
    _add_watching(training)
    add_backend(training)

    demo = add_command(commands, "demo", run_demo, "the improved slide pair, in minutes")
    demo.add_argument(
        "--data", type=given, default="drawn", help="a folder of photographs or a .h5 file (the drawn faces)"
    )
    demo.add_argument("--image-size", type=positive, help="side in pixels (what this machine trains in six minutes)")
    demo.add_argument("--epochs", type=positive, help="epochs (what this machine trains in six minutes)")
    demo.add_argument("--out", type=path, help="the run folder (runs/demo, runs/demo-2, ...)")
    demo.add_argument("--show", action="store_true", help="show the faces in a window")
    add_backend(demo)

    classify = add_command(
        commands, "classify", classify_faces, "train a classifier of attributes or people, for scores"
    )
    classify.add_argument(
        "--labels",
        help='what to tell apart: "Smiling, Male" (attributes), "man = Male; girl = Young & !Male" (classes), '
        "identity:20 (people with 20 pictures or more), table.csv:column",
    )
    add_data(classify)
    _add_length(classify, image_size="64", epochs="12")
    classify.add_argument("--width", type=positive, help="channels of the first layer (32; the source: 64)")
    classify.add_argument("--learning-rate", type=between_0_and_1, help="of Adam; it falls to zero (0.001)")
    add_old(classify, "--rate", "--learning-rate", type=between_0_and_1)
    classify.add_argument("--held-out", type=between_0_and_1, help="share of the faces to judge it by (0.1)")
    classify.add_argument("--precision", choices=PRECISIONS, help="of the layers; auto: the fastest here (auto)")
    classify.add_argument("--out", type=path, default=Path("runs/classifier"), help="the folder (runs/classifier)")
    classify.add_argument("--resume", action="store_true", help="go on with the one in --out after its last epoch")
    add_backend(classify)

    compare = add_command(commands, "compare", compare_systems, "several systems under the same data, seed and budget")
    compare.add_argument(
        "systems", nargs="*", metavar="NAME", help="systems, with options where wanted: dcgan:loss=hinge,width=32"
    )
    add_data(compare)
    compare.add_argument("--labels", help='of conditional systems, as in `train`: "Smiling, Male", identity:20')
    _add_length(compare, image_size="32", epochs="20")
    compare.add_argument("--precision", choices=PRECISIONS, help="of the layers (float32)")
    compare.add_argument("--out", type=path, default=Path("runs/compare"), help="the folder (runs/compare)")
    compare.add_argument("--resume", action="store_true", help="skip finished systems in --out and go on with the rest")
    _add_every(compare)
    compare.add_argument(
        "--features", metavar="F", help="score them: pixels, inception, classifier:RUN, file:PATH (no scores)"
    )
    add_backend(compare)


def _add_length(command: argparse.ArgumentParser, image_size: str, epochs: str) -> None:
    command.add_argument("--image-size", type=positive, help=f"side in pixels ({image_size})")
    command.add_argument("--epochs", type=positive, help=f"epochs in all ({epochs})")
    command.add_argument("--batch-size", type=positive, help="photographs in each step (64)")
    command.add_argument("--seed", type=natural, help="of weights, noise and order (0)")


def _add_every(command: argparse.ArgumentParser) -> None:
    command.add_argument("--sample-every", type=positive, metavar="N", help="iterations between grids (200)")
    command.add_argument("--checkpoint-every", type=positive, metavar="N", help="iterations between checkpoints (200)")


def _add_training(training: argparse.ArgumentParser) -> None:
    """What, how long and where."""
    add_data(training)
    training.add_argument("--select", metavar="EXPRESSION", help='only faces for which it is true: "Smiling & !Male"')
    training.add_argument(
        "--labels", help='what a conditional system learns: identity, "Smiling, Male", "man = Male; woman = !Male"'
    )
    training.add_argument("--keep-labels", type=positive, metavar="N", help="hide all labels but N, for sgan (none)")
    _add_length(training, image_size="the source's own", epochs="20")
    training.add_argument("--precision", choices=PRECISIONS, help="of the layers; auto: the fastest here (auto)")
    training.add_argument("--compiler", choices=COMPILERS, help="how TensorFlow runs the step (auto)")
    training.add_argument(
        "--steps-per-execution",
        type=positive,
        metavar="N",
        help="training steps per compiled call, as Keras's steps_per_execution (1)",
    )
    add_old(training, "--steps-per-call", "--steps-per-execution", type=positive)
    training.add_argument("--devices", type=_count, default=1, metavar="N", help='of each machine, or "all" (1)')
    training.add_argument("--hosts", metavar="A:PORT,B:PORT", help="train on several machines: one address for each")
    training.add_argument("--host", type=natural, metavar="K", help="which of --hosts this one is, from 0 on")
    training.add_argument("--out", type=path, help="the run folder (runs/NAME)")
    training.add_argument("--resume", action="store_true", help="go on with the run in --out from its checkpoint")
    training.add_argument(
        "--from",
        dest="from_run",
        type=path,
        metavar="RUN",
        help="begin a new run with the weights of this one, on other photographs; its options and image size stay",
    )
    _add_every(training)


def _add_rule(training: argparse.ArgumentParser) -> None:
    """How D and G learn: for every system that leaves it open."""
    training.add_argument("--loss", choices=LOSSES, help="what D and G minimise (the system's own)")
    training.add_argument(
        "--stages", help="optimizers one after another, such as rmsprop:2e-4:300,adam:2e-4 (the system's own)"
    )
    training.add_argument(
        "--average", type=decay, metavar="DECAY", help="sample from an average of G's weights, such as 0.999 (0: G)"
    )
    training.add_argument(
        "--r1", type=weight, metavar="GAMMA", help="weight of the penalty on D's gradient at photographs (0)"
    )
    training.add_argument("--d-steps", type=positive, metavar="K", help="steps of D for each step of G (1)")
    training.add_argument(
        "--separate-batches",
        action=argparse.BooleanOptionalAction,
        help="D reads real and fake one after the other, or as one batch (the system's own)",
    )
    training.add_argument("--label-smoothing", type=float, help="photographs have the label 1 - this (0)")
    training.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the system")


def _add_watching(training: argparse.ArgumentParser) -> None:
    training.add_argument("--tensorboard", action="store_true", help="write curves for TensorBoard as well")
    training.add_argument("--score-every", type=positive, metavar="N", help="iterations between scores (no scores)")
    training.add_argument("--score-features", metavar="F", help="what they compare, as in `evaluate` (pixels)")
    training.add_argument("--show", action="store_true", help="show the faces in a window")
    training.add_argument("--pause", action="store_true", help="wait for Enter after each epoch")


def _count(text: str) -> int | str:
    return text if text == "all" else positive(text)


# ------------------------------------------------------------------------------------------------ commands


def train(options: argparse.Namespace) -> None:
    """Train a system into a run folder."""
    from keras_faces.runs.train import train

    out = options.out or Path("runs") / options.system
    if options.resume:
        RunFolder(out).read()  # a wrong folder is an error here: kf.train would begin a new run
    train(**arguments(options, "option", *RULE), **rule(options))
    if not options.host:
        _say_where(out)


def rule(options: argparse.Namespace) -> dict:
    """Return the options of the system: those of ``RULE`` that were given, and each ``--option KEY=VALUE``."""
    from keras_faces.models.options import parse_options

    asked = {key: getattr(options, key) for key in RULE if getattr(options, key) is not None}
    more = parse_options(options.option)
    for key in asked.keys() & more.keys():
        if asked[key] != more[key]:
            raise ValueError(
                f"--{key.replace('_', '-')} {asked[key]} and --option {key}={more[key]} say different things; give one."
            )
    return asked | more


def _say_where(out: Path) -> None:
    print(f"\nDone. The faces, epoch by epoch: {out / 'evolution.png'}")
    for name, what in (("evolution.gif", "as an animation"), ("samples", "every grid"), ("losses.png", "the losses")):
        print(f"  {what + ':':<17} {out / name}")
    print(f"  more faces:       keras-faces sample {out}")


def run_demo(options: argparse.Namespace) -> None:
    """Train slides-v2 at a size that this machine trains in minutes."""
    from keras_faces.runs.demo import demo

    _say_where(demo(**arguments(options)))


def classify_faces(options: argparse.Namespace) -> None:
    """Train a classifier, and say how often it is right on faces that it has not seen."""
    from keras_faces.runs.classifier import ClassifierFolder, classify
    from keras_faces.runs.classifier_report import table

    if options.resume:
        ClassifierFolder(options.out).read()
    found = classify(**arguments(options))
    kind = ClassifierFolder(options.out).read().kind
    print(f"\nOf {found['n_held_out']:,} held-out faces ({found['split']}), in per cent:\n")
    print(table(found, kind).to_string(na_rep="-"))
    print(
        f"\n{'top-1' if kind == 'classes' else 'mean'} accuracy: {found['accuracy']:.1%} held out, "
        f"{found['training_accuracy']:.1%} on the faces it learned from; {found['commonest']:.1%} by always giving "
        "the commonest answer."
    )
    for name, what in (("accuracy.png", "the curves"), ("mistakes.png", "its mistakes"), ("report.json", "the table")):
        print(f"  {what + ':':<13} {options.out / name}")
    print(f"  as features:  --features classifier:{options.out}")


def compare_systems(options: argparse.Namespace) -> int:
    """Train the systems into run folders, and compare their grids, curves and logs."""
    from keras_faces.runs import compare

    if options.resume:
        compare.read(options.out)
    table = compare.compare(**arguments(options))
    print("\n" + table.to_string(index=False, na_rep="-"))
    made = [("comparison.png", "the faces"), ("curves.png", "the curves"), ("comparison.csv", "the table")]
    for name, what in [*made, ("reconstructions.png", "photographs through each")]:
        if (options.out / name).exists():
            print(f"  {what + ':':<12} {options.out / name}")
    return 0 if (table["state"] == "finished").all() else 3
