"""``keras-faces transfer``, ``person``, ``attribute-morph``, ``frontal`` and ``detect-adversarial``, for IP-GAN."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.cli.options import (
    add_command,
    add_picture,
    add_run,
    add_seed,
    given,
    numbers,
    out_png,
    path,
    positive,
    two_or_more,
    write_picture,
)
from keras_faces.runs.folder import RunFolder, trained_run

SHOWN = 6  # faces of the run's own data, where no pictures are given


def register(commands) -> None:
    """Add the five commands."""
    transfer = _command(commands, "transfer", "the person of one picture with the attributes of another", draw_transfer)
    _add_pictures(transfer, "--identity", "whose identity, a row for each")
    _add_pictures(transfer, "--attributes", "whose attributes, a column for each")

    person = _command(commands, "person", "random faces of a person", draw_people)
    person.add_argument("pictures", nargs="*", type=path, metavar="PICTURE", help="of people, a row each (of the data)")
    person.add_argument("--label", action="append", help="the name of a person of the training; may be given again")
    person.add_argument("--count", type=positive, default=8, help="faces of each (8)")
    add_seed(person, "of the attributes")

    morph = _command(commands, "attribute-morph", "a person with attributes that change in steps", draw_attribute_morph)
    _add_pictures(morph, "--identity", "who, a row for each")
    _add_pictures(morph, "--first", "attributes to begin with, as many or one")
    _add_pictures(morph, "--last", "attributes to end with, as many or one")
    morph.add_argument("--steps", type=two_or_more, default=8, help="pictures on the way (8)")

    frontal = _command(commands, "frontal", "profiles seen from the front", draw_frontal)
    frontal.add_argument(
        "pictures", nargs="*", type=path, metavar="PICTURE", help="profiles (turned faces of the data)"
    )
    _add_pictures(frontal, "--front", "frontal pictures, whose attributes are taken (symmetric faces of the data)")

    detect = _command(commands, "detect-adversarial", "find examples made to fool the recogniser", draw_adversarial)
    detect.add_argument("--pairs", type=two_or_more, default=50, help="pairs of people, two examples each (50)")
    detect.add_argument(
        "--thresholds", type=numbers, default="1, 0.8, 0.6, 0.4", help="squared distances θ (1, 0.8, 0.6, 0.4)"
    )
    detect.add_argument("--steps", type=positive, default=40, help="steps of the search for an example (40)")
    add_seed(detect, "of the pairs and the cross-validation")


def _command(commands, name: str, line: str, function) -> argparse.ArgumentParser:
    command = add_command(commands, name, function, line)
    add_run(command, "a run folder of ip-gan")
    command.add_argument(
        "--data", type=given, help="faces to take pictures from where none are given (the run's own data)"
    )
    add_picture(command, name)
    command.set_defaults(name=name)
    return command


def _add_pictures(command: argparse.ArgumentParser, option: str, line: str) -> None:
    command.add_argument(
        option, nargs="+", type=path, metavar="PICTURE", help=f"{line}: files or folders (of the data)"
    )


# ------------------------------------------------------------------------------------------------- the commands


def draw_transfer(options: argparse.Namespace) -> None:
    """The matrix of people and attributes."""
    from keras_faces.applications.transfer import figure, matrix

    model, source = _begin(options)
    subjects = source.pictures(options.identity, SHOWN)
    pictures = source.pictures(options.attributes, SHOWN, skip=len(subjects))
    write_picture(figure(subjects, pictures, matrix(model, subjects, pictures)), _out(options))
    print(f"{len(subjects)} people with the attributes of {len(pictures)} pictures: {_out(options)}")


def draw_people(options: argparse.Namespace) -> None:
    """Random faces of people."""
    import numpy as np

    from keras_faces.applications.person import figure, people
    from keras_faces.applications.transfer import rows_figure

    model, source = _begin(options)
    if options.label and options.pictures:
        raise ValueError("give pictures or --label, not both.")
    if options.label:
        rows = np.stack([model.person(name, options.count, options.seed) for name in options.label])
        write_picture(rows_figure(rows, ", ".join(options.label)), _out(options))
    else:
        subjects = source.pictures(options.pictures, SHOWN)
        rows = people(model, subjects, options.count, options.seed)
        write_picture(figure(subjects, rows), _out(options))
    print(f"{len(rows)} people, {options.count} faces of each: {_out(options)}")


def draw_attribute_morph(options: argparse.Namespace) -> None:
    """People on the way from some attributes to others."""
    from keras_faces.applications.attribute_morph import attribute_path, figure

    model, source = _begin(options)
    subjects = source.pictures(options.identity, 3)
    first = _as_many(source.pictures(options.first, len(subjects), skip=len(subjects)), len(subjects), "--first")
    last = _as_many(source.pictures(options.last, len(subjects), skip=2 * len(subjects)), len(subjects), "--last")
    images = attribute_path(model, subjects, first, last, options.steps)
    write_picture(figure(subjects, first, last, images), _out(options))
    print(f"{len(subjects)} people, {options.steps} steps between two attributes: {_out(options)}")


def draw_frontal(options: argparse.Namespace) -> None:
    """Profiles, the frontal pictures that attributes are taken from, and the frontal views."""
    import numpy as np

    from keras_faces.applications.frontal import asymmetry, figure, fitting_fronts, frontal

    model, source = _begin(options)
    if options.pictures:
        profiles = source.pictures(options.pictures, 0)
    else:
        some = source.some(500)
        profiles = some[np.sort(np.argsort(asymmetry(some))[-SHOWN:])]
    if options.front:
        fronts = _as_many(source.pictures(options.front, 0), len(profiles), "--front")
    else:
        some = source.some(2000)
        fronts = some[fitting_fronts(profiles, some)]
    write_picture(figure(profiles, fronts, frontal(model, profiles, fronts)), _out(options))
    print(f"{len(profiles)} profiles, the fronts taken, the frontal views: {_out(options)}")


def draw_adversarial(options: argparse.Namespace) -> None:
    """Table 5.4 and figure 5.13."""
    from keras_faces.applications.detection import figure, pairs_of_people, table
    from keras_faces.files import atomic_write

    model, source = _begin(options)
    first, second = pairs_of_people(source.faces, options.pairs, options.seed)
    found, shown = table(model, first, second, options.thresholds, options.steps, options.seed)
    print(found.round(4).to_string(index=False))
    write_picture(figure(shown, f"θ = {min(options.thresholds)}"), _out(options))
    csv = _out(options).with_suffix(".csv")
    with atomic_write(csv) as beside:
        found.to_csv(beside, index=False)
    print(f"the table: {csv}\nthe examples: {_out(options)}")


# ------------------------------------------------------------------------------------------------- what they share


class _Source:
    """Where pictures come from: files that are named, else faces of a data set, each of another person."""

    def __init__(self, config, data: str | None) -> None:
        self.config, self.data = config, data
        self._faces = None

    @property
    def faces(self):
        """The data set, read when it is needed for the first time."""
        if self._faces is None:
            from keras_faces import data

            config = self.config
            if self.data is None:
                self._faces = config.faces()
            else:
                self._faces = data.load(self.data, config.image_size, count=1000 if self.data == "drawn" else None)
        return self._faces

    def pictures(self, paths: list[Path] | None, count: int, skip: int = 0):
        """Pictures uint8 (n, H, W, 3): those of the paths, else of ``count`` people after the first ``skip``."""
        import numpy as np

        from keras_faces.data import load_images

        if paths:
            return load_images(paths, self.config.image_size, self.config.crop)
        identities = self.faces.identities
        if identities is None:
            indices = np.arange(len(self.faces))
        else:
            indices = np.unique(identities, return_index=True)[1]
        indices = indices[np.arange(skip, skip + count) % len(indices)]
        return np.asarray(self.faces.images[indices])

    def some(self, count: int):
        """Up to ``count`` pictures of the data set, spread over it."""
        import numpy as np

        indices = np.unique(np.linspace(0, len(self.faces) - 1, count).round().astype(int))
        return np.asarray(self.faces.images[indices])


def _begin(options: argparse.Namespace):
    """The model, and where its pictures come from."""
    out_png(options, options.name, *([".csv"] if options.command is draw_adversarial else []))
    RunFolder(options.run).read()  # a wrong folder is told before anything is loaded
    _, config, model = trained_run(options.run)
    from keras_faces.applications.transfer import check_model

    check_model(model)
    return model, _Source(config, options.data)


def _out(options: argparse.Namespace) -> Path:
    return options.out or options.run / f"{options.name}.png"


def _as_many(pictures, count: int, option: str):
    if len(pictures) not in (1, count):
        raise ValueError(f"{option}: {len(pictures)} pictures for {count} people; give one, or one for each.")
    return pictures.repeat(count, axis=0) if len(pictures) == 1 and count > 1 else pictures
