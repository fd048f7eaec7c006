"""The command line: ``keras-faces list | describe | train | sample | demo``.

Nothing here loads a deep-learning framework before a command needs one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_faces import __version__

BACKENDS = ("tensorflow", "jax", "torch")
PRECISIONS = ("float32", "bfloat16")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 a clear error, 2 wrong usage, 3 training lost, 130 Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except KeyboardInterrupt:
        print("\nStopped by Ctrl-C. What was made so far is kept.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `keras-faces describe ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        if os.environ.get("KERAS_FACES_DEBUG"):
            raise
        print(f"\nkeras-faces: {error}", file=sys.stderr)
        return 3 if type(error).__name__ == "TrainingStopped" else 1


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="keras-faces", description="Learn to generate faces with GANs, epoch by epoch.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"keras-faces {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="the systems of the course")
    listing.set_defaults(command=list_systems)

    describe = commands.add_parser("describe", help="a system's layers beside the numbers of its source")
    describe.add_argument("name", metavar="NAME")
    describe.add_argument("--image-size", type=_positive, help="side in pixels (the source's own)")
    describe.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the system")
    _add_backend(describe)
    describe.set_defaults(command=describe_system)

    training = commands.add_parser("train", help="train a system into a run folder", allow_abbrev=False)
    training.add_argument("name", metavar="NAME", help="a system, see `keras-faces list`")
    _add_training(training)
    training.set_defaults(command=train)

    sample = commands.add_parser("sample", help="faces from a trained run", allow_abbrev=False)
    sample.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    sample.add_argument("--count", type=_positive, default=64, help="how many faces (64)")
    sample.add_argument("--seed", type=_natural, default=0, help="seed of the noise (0)")
    sample.add_argument("--truncation", type=float, help="no noise beyond so many standard deviations (no limit)")
    sample.add_argument(
        "--out", type=Path, help="a .png file for one grid, or a folder for single files (RUN/faces.png)"
    )
    sample.set_defaults(command=sample_run)

    demo = commands.add_parser("demo", help="the improved slide pair, in minutes", allow_abbrev=False)
    demo.add_argument(
        "--data", default="drawn", help="a folder of photographs or a .h5 file (the embedded drawn faces)"
    )
    demo.add_argument("--image-size", type=_positive, default=64, help="side in pixels (64)")
    demo.add_argument("--epochs", type=_positive, default=4, help="epochs (4)")
    demo.add_argument("--out", type=Path, help="the run folder (runs/demo, runs/demo-2, ...)")
    demo.add_argument("--show", action="store_true", help="a live window of the faces")
    _add_backend(demo)
    demo.set_defaults(command=run_demo)
    return top


def _add_training(training: argparse.ArgumentParser) -> None:
    """Options of `train`. None is the mark of "not given": a resumed run has its own."""
    training.add_argument("--data", help='"drawn", a folder of photographs, or a packed .h5 (drawn)')
    training.add_argument("--image-size", type=_positive, help="side in pixels (the source's own)")
    training.add_argument("--count", type=_positive, help="how many images (all; 10,000 drawn ones)")
    training.add_argument("--crop", choices=("auto", "center", "celeba", "none"), help="of photographs (auto)")
    training.add_argument("--strict", action="store_true", help="an unreadable file is an error, not skipped")
    training.add_argument("--epochs", type=_positive, help="epochs in all (20)")
    training.add_argument("--batch-size", type=_positive, help="photographs an iteration (64)")
    training.add_argument("--seed", type=_natural, help="of weights, noise and order (0)")
    training.add_argument("--precision", choices=PRECISIONS, help="float32, or bfloat16 layers where they are faster")
    training.add_argument("--out", type=Path, help="the run folder (runs/NAME)")
    training.add_argument("--resume", action="store_true", help="go on with the run in --out from its checkpoint")
    training.add_argument("--sample-every", type=_positive, metavar="N", help="iterations between grids (200)")
    training.add_argument(
        "--checkpoint-every", type=_positive, metavar="N", help="iterations between checkpoints (200)"
    )
    training.add_argument("--d-steps", type=_positive, metavar="K", help="steps of D for each step of G (1)")
    training.add_argument(
        "--separate-batches",
        action=argparse.BooleanOptionalAction,
        help="D reads real and fake one after the other, or as one batch (the system's own)",
    )
    training.add_argument("--label-smoothing", type=float, help="photographs are labelled 1 - this (0)")
    training.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the system")
    training.add_argument("--tensorboard", action="store_true", help="write curves for TensorBoard as well")
    training.add_argument("--show", action="store_true", help="a live window of the faces")
    training.add_argument("--pause", action="store_true", help="wait for Enter after each epoch")
    _add_backend(training)


def _add_backend(command: argparse.ArgumentParser) -> None:
    command.add_argument("--backend", choices=BACKENDS, help="what Keras runs on (KERAS_BACKEND, else tensorflow)")


# ------------------------------------------------------------------------------------------------ commands


def list_systems(options: argparse.Namespace) -> None:
    """Print the systems, one a line."""
    from keras_faces.models import SYSTEMS

    width = max(map(len, SYSTEMS))
    for name, (_, line) in SYSTEMS.items():
        print(f"{name:<{width}}  {line}")


def describe_system(options: argparse.Namespace) -> None:
    """Print Keras's summaries, each with the source's numbers beside it."""
    _use_backend(options.backend)
    from keras_faces import models
    from keras_faces.models.describe import describe

    model = models.build(options.name, options.image_size, **_key_values(options.option))
    print(describe(options.name, model))


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
        epochs=options.epochs,
        batch_size=16,
        count=2000,
        sample_every=25,
        options={"filters": [256, 128, 64, 32]},
        backend=_backend_name(options.backend),
    )
    options.resume = options.strict = options.pause = options.tensorboard = False
    _run(RunFolder(options.out or _free_folder(Path("runs/demo"))), config, options)


def sample_run(options: argparse.Namespace) -> None:
    """Write faces of a trained run as one grid or as single files."""
    from keras_faces import plots
    from keras_faces.runs import RunFolder

    folder = RunFolder(options.run)
    config = folder.read()
    _use_backend(config.backend)
    from keras_faces import models
    from keras_faces.training import checkpoint

    model = models.build(config.system, config.image_size, config.seed, config.precision, **config.options)
    checkpoint.load(folder.checkpoint, model)
    faces = model.sample(options.count, seed=options.seed, truncation=options.truncation)
    out = options.out or folder.path / "faces.png"
    if out.suffix.lower() == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        plots.save_picture(plots.tile(faces), out)
    else:
        out.mkdir(parents=True, exist_ok=True)
        for index, face in enumerate(faces):
            plots.save_picture(face, out / f"face-{index:05d}.png")
    print(f"{options.count} faces: {out}")


# ------------------------------------------------------------------------------------------------ helpers


def _run(folder, config, options: argparse.Namespace) -> None:
    """Load the data, make or check the folder, train, and say where everything is."""
    if not options.resume:
        folder.check_free()
    _use_backend(config.backend)
    from keras_faces import data, models
    from keras_faces.runs import train

    config.image_size = config.image_size or models.lesson(config.system).IMAGE_SIZE
    faces = data.load(
        config.data, config.image_size, count=config.count, seed=config.seed, crop=config.crop, strict=options.strict
    )
    print(faces.summary())
    print(f"Training {config.system} at {config.image_size}×{config.image_size}; watch {folder.samples}")
    train(
        folder,
        config,
        faces,
        resume=options.resume,
        show=options.show,
        pause=options.pause,
        tensorboard=options.tensorboard,
    )
    print(f"\nDone. The faces, epoch by epoch: {folder.path / 'evolution.png'}")
    for name, what in (("evolution.gif", "as an animation"), ("samples", "every grid"), ("losses.png", "the losses")):
        print(f"  {what + ':':<17} {folder.path / name}")
    print(f"  more faces:       keras-faces sample {folder.path}")


def _new_config(options: argparse.Namespace):
    from keras_faces.runs import RunConfig

    given = {key: value for key, value in _given(options).items() if value is not None}
    return RunConfig(system=options.name, backend=_backend_name(options.backend), options=_rule(options), **given)


def _resumed_config(options: argparse.Namespace, folder):
    """The run's own configuration; only more epochs and the folder's new place may be asked for."""
    from keras_faces.runs import RunError

    config = folder.read()
    asked = {"system": options.name, **_given(options), "backend": options.backend}
    asked["options"] = _rule(options) or None
    for key, value in asked.items():
        if value is None or value == getattr(config, key):
            continue
        if key in ("epochs", "data"):
            setattr(config, key, value)
        else:
            raise RunError(
                f"{folder.path} was begun with {key} {getattr(config, key)!r}, not {value!r}: "
                "leave the option out to go on, or choose another --out."
            )
    return config


def _given(options: argparse.Namespace) -> dict:
    keys = ("data", "image_size", "epochs", "batch_size", "seed", "precision", "count", "crop")
    return {key: getattr(options, key) for key in (*keys, "sample_every", "checkpoint_every")}


def _rule(options: argparse.Namespace) -> dict:
    """The options of the system: those of the training rule, then ``--option KEY=VALUE``."""
    rule = {key: getattr(options, key) for key in ("d_steps", "separate_batches", "label_smoothing")}
    return {key: value for key, value in rule.items() if value is not None} | _key_values(options.option)


def _key_values(pairs: Sequence[str]) -> dict:
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--option {pair}: write KEY=VALUE, such as upsamplings=4.")
        try:
            values[key.replace("-", "_")] = json.loads(value)
        except ValueError:
            values[key.replace("-", "_")] = value
    return values


def _free_folder(wanted: Path) -> Path:
    """``wanted``, or ``wanted-2``, ``wanted-3``, ... if it is taken."""
    number, folder = 1, wanted
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def _backend_name(asked: str | None) -> str:
    return asked or os.environ.get("KERAS_BACKEND") or "tensorflow"


def _use_backend(asked: str | None) -> None:
    """Choose Keras's backend; it cannot be changed once Keras is loaded."""
    name = _backend_name(asked)
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != name:
        raise ValueError(f"Keras already runs on {sys.modules['keras'].backend.backend()}; {name} needs a new process.")
    os.environ["KERAS_BACKEND"] = name


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


if __name__ == "__main__":
    sys.exit(main())
