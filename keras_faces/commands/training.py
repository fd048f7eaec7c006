"""``keras-faces train`` and ``demo``: a system, photographs, and a run folder that fills."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from keras_faces.commands.options import (
    COMPILERS,
    LOSSES,
    PRECISIONS,
    add_backend,
    add_data,
    backend_name,
    decay,
    go_on,
    natural,
    positive,
    use_backend,
    weight,
)
from keras_faces.key_values import key_values

# Options of `train` that are options of the system or of its training rule, as `kf.models.build` takes them.
RULE = ("loss", "stages", "average", "r1", "d_steps", "separate_batches", "label_smoothing")
DEMO_ITERATIONS = 1250  # when drawn faces have eyes and hair: ten epochs of 2,000 in batches of 16


def add(commands) -> None:
    """Add both commands."""
    training = commands.add_parser("train", help="train a system into a run folder", allow_abbrev=False)
    training.add_argument("name", metavar="NAME", help="a system, see `keras-faces list`")
    _add_training(training)
    _add_rule(training)
    _add_watching(training)
    add_backend(training)
    training.set_defaults(command=train)

    demo = commands.add_parser("demo", help="the improved slide pair, in minutes", allow_abbrev=False)
    demo.add_argument(
        "--data", default="drawn", help="a folder of photographs or a .h5 file (the embedded drawn faces)"
    )
    demo.add_argument("--image-size", type=positive, default=64, help="side in pixels (64)")
    demo.add_argument("--epochs", type=positive, help=f"epochs (as many as make {DEMO_ITERATIONS:,} iterations)")
    demo.add_argument("--out", type=Path, help="the run folder (runs/demo, runs/demo-2, ...)")
    demo.add_argument("--show", action="store_true", help="a live window of the faces")
    add_backend(demo)
    demo.set_defaults(command=run_demo)


def _add_training(training: argparse.ArgumentParser) -> None:
    """What, how long and where. None is the mark of "not given": a resumed run has its own."""
    add_data(training)
    training.add_argument("--select", metavar="EXPRESSION", help='only faces of which it is true: "Smiling & !Male"')
    training.add_argument(
        "--labels", help='what a conditional system learns: identity, "Smiling, Male", "man = Male; woman = !Male"'
    )
    training.add_argument("--keep-labels", type=positive, metavar="N", help="hide all labels but N, as sgan can (none)")
    training.add_argument("--image-size", type=positive, help="side in pixels (the source's own)")
    training.add_argument("--epochs", type=positive, help="epochs in all (20)")
    training.add_argument("--batch-size", type=positive, help="photographs an iteration (64)")
    training.add_argument("--seed", type=natural, help="of weights, noise and order (0)")
    training.add_argument("--precision", choices=PRECISIONS, help="of the layers; auto: what is fastest here (auto)")
    training.add_argument("--compiler", choices=COMPILERS, help="what TensorFlow makes of the step (auto)")
    training.add_argument(
        "--steps-per-call", type=positive, metavar="N", help="iterations between two looks of Python at them (1)"
    )
    training.add_argument("--devices", type=_count, default=1, metavar="N", help='of each machine, or "all" (1)')
    training.add_argument("--hosts", metavar="A:PORT,B:PORT", help="train on several machines: one address for each")
    training.add_argument("--host", type=natural, metavar="K", help="which of --hosts this one is, from 0 on")
    training.add_argument("--out", type=Path, help="the run folder (runs/NAME)")
    training.add_argument("--resume", action="store_true", help="go on with the run in --out from its checkpoint")
    training.add_argument("--sample-every", type=positive, metavar="N", help="iterations between grids (200)")
    training.add_argument("--checkpoint-every", type=positive, metavar="N", help="iterations between checkpoints (200)")


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
    training.add_argument("--label-smoothing", type=float, help="photographs are labelled 1 - this (0)")
    training.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the system")


def _add_watching(training: argparse.ArgumentParser) -> None:
    training.add_argument("--tensorboard", action="store_true", help="write curves for TensorBoard as well")
    training.add_argument("--score-every", type=positive, metavar="N", help="iterations between scores (no scores)")
    training.add_argument("--score-features", metavar="F", help="what they look at, as in `evaluate` (pixels)")
    training.add_argument("--show", action="store_true", help="a live window of the faces")
    training.add_argument("--pause", action="store_true", help="wait for Enter after each epoch")


# ------------------------------------------------------------------------------------------------ commands


def train(options: argparse.Namespace) -> None:
    """Train a system into a run folder."""
    from keras_faces.runs import RunFolder

    folder = RunFolder(options.out or Path("runs") / options.name)
    config = _resumed_config(options, folder) if options.resume else _new_config(options)
    _run(folder, config, options)


def run_demo(options: argparse.Namespace) -> None:
    """slides-v2 with half as many channels, on 2,000 faces: minutes on two cores."""
    from keras_faces.runs import RunConfig, RunFolder

    config = RunConfig(
        system="slides-v2",
        data=options.data,
        image_size=options.image_size,
        epochs=options.epochs or 0,
        batch_size=16,
        precision="auto",
        compiler="auto",
        count=2000,
        sample_every=25,
        options={"filters": [256, 128, 64, 32]},
        backend=backend_name(options.backend),
    )
    options.resume = options.strict = options.pause = options.tensorboard = False
    options.devices, options.hosts, options.host = 1, None, None
    _run(RunFolder(options.out or _free_folder(Path("runs/demo"))), config, options)


# ------------------------------------------------------------------------------------------------ helpers


def _count(text: str) -> int | str:
    return text if text == "all" else positive(text)


def _run(folder, config, options: argparse.Namespace) -> None:
    """Load the data, make or check the folder, train, and say where everything is."""
    if not options.resume and not options.host:
        folder.check_free()
    use_backend(config.backend)
    from keras_faces import models
    from keras_faces.runs import train
    from keras_faces.training import choices
    from keras_faces.training.devices import connect
    from keras_faces.training.stages import parse_stages

    choices.prepare(config.backend)
    devices = connect(options.devices, options.hosts, options.host)

    config.image_size = config.image_size or models.lesson(config.system).IMAGE_SIZE
    if config.options.get("stages") is not None:
        parse_stages(config.options["stages"])  # a mistake is told before the photographs are read
    faces = config.faces(options.strict)
    if not config.epochs:  # the demo's: few photographs are seen more often
        config.epochs = math.ceil(DEMO_ITERATIONS / faces.batches(config.batch_size).batches_per_epoch)
    print(faces.summary())
    print(config.settle())
    if devices.spread:
        print(f"Each batch is cut in {len(devices.names)} parts: {', '.join(devices.names)}.")
    print(f"Training {config.system} at {config.image_size}×{config.image_size}; watch {folder.samples}")
    train(
        folder,
        config,
        faces,
        resume=options.resume,
        devices=devices,
        show=options.show,
        pause=options.pause,
        tensorboard=options.tensorboard,
    )
    if devices.process:
        print(f"\nDone. Process 0 has written {folder.path}.")
        return
    print(f"\nDone. The faces, epoch by epoch: {folder.path / 'evolution.png'}")
    for name, what in (("evolution.gif", "as an animation"), ("samples", "every grid"), ("losses.png", "the losses")):
        print(f"  {what + ':':<17} {folder.path / name}")
    print(f"  more faces:       keras-faces sample {folder.path}")


def _new_config(options: argparse.Namespace):
    from keras_faces.runs import RunConfig

    given = {key: value for key, value in _given(options).items() if value is not None}
    given = {"precision": "auto", "compiler": "auto", **given}
    return RunConfig(system=options.name, backend=backend_name(options.backend), options=_rule(options), **given)


def _resumed_config(options: argparse.Namespace, folder):
    """The run's own configuration; only more epochs, the data's new place and other scores may be asked for."""
    asked = {"system": options.name, **_given(options), "backend": options.backend}
    asked["options"] = _rule(options) or None
    return go_on(folder, folder.read(), asked, free=("epochs", "data", "score_every", "score_features"))


def _given(options: argparse.Namespace) -> dict:
    keys = ("data", "image_size", "epochs", "batch_size", "seed", "precision", "count", "crop", "select")
    labels = ("labels", "keep_labels")
    watching = ("sample_every", "checkpoint_every", "score_every", "score_features", "compiler", "steps_per_call")
    return {key: getattr(options, key) for key in (*keys, *labels, *watching)}


def _rule(options: argparse.Namespace) -> dict:
    """The options of the system: those of the training rule that were given, and each ``--option KEY=VALUE``."""
    rule = {key: getattr(options, key) for key in RULE if getattr(options, key) is not None}
    more = key_values(options.option)
    for key in rule.keys() & more.keys():
        if rule[key] != more[key]:
            raise ValueError(
                f"--{key.replace('_', '-')} {rule[key]} and --option {key}={more[key]} say different things; give one."
            )
    return rule | more


def _free_folder(wanted: Path) -> Path:
    """``wanted``, or ``wanted-2``, ``wanted-3``, ... if it is taken."""
    number, folder = 1, wanted
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder
