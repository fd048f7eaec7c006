"""IP-GAN's tables: who is still who after a transfer, what each loss is for, what λ does, and what A tells of people.

    ./run bench ip_gan --data drawn --out results-ip
    ./run bench ip_gan --data lfw-deepfunneled --least 12 --image-size 64 --judge file:recogniser --out results-lfw
    ./run bench ip_gan --data PIE.mat --least 20 --image-size 32 --out results-pie
    ./run bench ip_gan --data drawn --settings ip-gan no-gc --epochs 5 --out quick

    results-ip/recogniser/   I and C, trained once for all settings         judge/   another one, which looks people up
               (or, by `--option recogniser=file:PATH`, somebody's trained one)
               ip-gan/ ...   a run folder for each setting                  results.md, results.csv, *.png

People are parted in three: those with few pictures lose their names (they are the faces without a label), of the others
a share is never shown ("unseen"), and the rest is trained on, but for some pictures of each person ("seen").

Made as the source does it (section 5.3.2): of each person six pictures are drawn, one into the gallery; each of the
other five is a subject, and some other picture gives the attributes; the transfers are looked up. The source has 10,000
people of MS-Celeb-1M and those of Multi-PIE, so only the order of the rows can be compared with its numbers.

A setting that is finished is not trained again. `*.mat` is CMU PIE in 32×32 pixels: ``fea`` (n, 1024), ``gnd`` (n, 1).

What to read next: ``keras_faces/models/dissertation/ip_gan.py``, ``keras_faces/metrics/factors.py``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks._measured import machine
from benchmarks.results import state_of
from data_prep.engine.script import run
from keras_faces.cli.options import natural, positive, two_or_more
from keras_faces.files import atomic_write
from keras_faces.models.options import parse_options
from keras_faces.runs.folder import RunConfig, RunFolder, trained_run

if TYPE_CHECKING:
    import pandas

    from keras_faces.data.faces import Faces

# Name: options of the system, its name in the source, top-1 of tables 5.2 (people of the training) and 5.3 (others).
SETTINGS: dict[str, tuple[dict[str, Any], str, float | None, float | None]] = {
    "no-gc": ({"gc_weight": 0.0}, "w/o L_GC", 5.71, 11.76),
    "no-t": ({"different": False}, "w/o T", 79.19, 95.47),
    "no-gd": ({"gd_weight": 0.0}, "w/o L_GD", 80.52, 95.53),
    "no-u": ({"unlabelled": False}, "w/o U", 80.24, 96.41),
    "ip-gan": ({}, "IP-GAN", 81.11, 96.80),
    "lambda-0.01": ({"different_weight": 0.01}, "λ = 0.01", None, None),
    "lambda-1": ({"different_weight": 1.0}, "λ = 1", None, None),
    "no-kl": ({"kl_weight": 0.0}, "w/o KL", None, None),
}
REAL = ("photographs", 87.39, 97.47)
PICTURES = 6  # of a person: one in the gallery, five looked up


class Parts(NamedTuple):
    """Faces to train on, partly labelled; other pictures of the same people; people whom no network has met."""

    training: Faces
    seen: Faces
    unseen: Faces


# ---------------------------------------------------------------------------------------------------- the people


def load(source: str, image_size: int) -> Faces:
    """Faces with identities, from whatever knows who is on them."""
    from keras_faces import data

    if source == "drawn":
        return drawn_people(image_size)
    if source.endswith(".mat"):
        return read_pie(Path(source), image_size)
    faces = data.load(source, image_size)
    if faces.identities is None:
        raise ValueError(f"--data {source}: it is not known who is on these pictures. A folder a person tells it.")
    return faces


def drawn_people(image_size: int) -> Faces:
    """120 people with 40 pictures each, and 60 with 10."""
    from keras_faces import data
    from keras_faces.data.drawn import DrawnFaces

    many, few = DrawnFaces(4800, image_size, seed=0, identities=120), DrawnFaces(600, image_size, seed=1, identities=60)
    return data.Faces(
        np.concatenate([many[:], few[:]]),
        [*many.names, *(f"few-{name}" for name in few.names)],
        identities=np.concatenate([many.identity_numbers, 120 + few.identity_numbers]),
        source="drawn faces",
    )


def read_pie(path: Path, image_size: int) -> Faces:
    """CMU PIE from a MATLAB file of 32×32 grey pictures: a row a picture, its columns one below the other.

    Raises
    ------
    ValueError
        If the file holds no ``fea`` of 1,024 numbers and ``gnd``.
    """
    from scipy.io import loadmat

    from keras_faces import data
    from keras_faces.data.pictures import to_square

    try:
        found = loadmat(path)
        grey, people = np.asarray(found["fea"], "uint8"), np.asarray(found["gnd"]).ravel().astype(int)
        grey = grey.reshape(len(people), 32, 32).swapaxes(1, 2)
    except (ValueError, KeyError, NotImplementedError) as error:  # SciPy raises the last one for MATLAB 7.3
        raise ValueError(f"{path}: a MATLAB 5 file with fea (n, 1024) and gnd (n, 1) is wanted: {error}") from None
    images = np.stack([to_square(picture, image_size) for picture in grey[..., None].repeat(3, axis=-1)])
    return data.Faces(images, identities=people, source=path.name)


def parted(faces: Faces, least: int, unseen: float, seed: int = 0) -> Parts:
    """The three parts, by a seed.

    Parameters
    ----------
    least
        People with fewer pictures are faces without a label.
    unseen
        Share of the others who are never shown.

    Raises
    ------
    ValueError
        If fewer than four people have ``least`` pictures, or ``least`` leaves none to learn from.
    """
    from keras_faces.data.labels import Labels

    if least < PICTURES + 4:
        raise ValueError(f"--least {least}: {PICTURES} pictures of a person are looked up, and some are learned from.")
    who, counts = np.unique(faces.identities, return_counts=True)
    many = who[counts >= least]
    if len(many) < 4:
        raise ValueError(f"{faces.source}: {len(many)} people have {least} pictures; four are needed. Lower --least.")
    random = np.random.default_rng(seed)
    strangers = random.permutation(many)[: max(2, round(unseen * len(many)))]
    known = np.setdiff1d(many, strangers)
    kept_back = [random.permutation(np.flatnonzero(faces.identities == one))[:PICTURES] for one in known]
    rest = np.setdiff1d(np.arange(len(faces)), np.concatenate(kept_back))
    training = faces.take(rest[~np.isin(faces.identities[rest], strangers)])
    vectors = (training.identities[:, None] == known[None]).astype("float32")
    names = [str(faces.identity_names[one] if faces.identity_names else one) for one in known]
    training.labels = Labels("classes", tuple(names), vectors)
    pictures_of = np.flatnonzero(np.isin(faces.identities, strangers))
    return Parts(training, faces.take(np.concatenate(kept_back)), faces.take(pictures_of))


# -------------------------------------------------------------------------------------------------- the networks


def recogniser(out: Path, parts: Parts, options: argparse.Namespace, seed: int) -> Path:
    """The folder of a classifier of the labelled people, trained if it is not finished yet."""
    from keras_faces.runs.classifier import classify

    labelled = parts.training.take(np.flatnonzero(parts.training.labels.class_ids >= 0))
    asked = {"epochs": options.recogniser_epochs, "width": options.width, "precision": options.precision}
    classify("identity", labelled, **asked, seed=seed, out=out, resume=True)
    return out


def trained(name: str, parts: Parts, options: argparse.Namespace) -> Any:
    """The model of a setting, trained if it is not finished yet."""
    from keras_faces.runs.train import train_run

    folder = RunFolder(options.out / name)
    if state_of(folder) != "finished":
        asked = parse_options(options.option) | SETTINGS[name][0]
        config = RunConfig(
            system="ip-gan",
            data=str(options.data),
            labels="identity",
            image_size=options.image_size,
            epochs=options.epochs,
            batch_size=options.batch_size,
            seed=options.seed,
            precision=options.precision,
            options={"recogniser": str(options.out / "recogniser"), "width": options.width, **asked},
            label_names=list(parts.training.labels.names),
            label_kind="classes",
        )
        resume = folder.checkpoint.exists()
        print(f"{name}: {'going on' if resume else 'training'}", flush=True)
        train_run(folder, folder.read() if resume else config, parts.training, resume=resume)
    return trained_run(folder.path)[2]


# --------------------------------------------------------------------------------------------------- the tables


def looked_up(model: Any, faces: Faces, judge: Any, seed: int) -> Any:
    """Top-1 of transferred probes (of the probes themselves without a model) in a gallery of real pictures."""
    from keras_faces.metrics.retrieval import gallery_and_probes, identity_retrieval

    gallery, probes = gallery_and_probes(faces.identities, PICTURES, seed)
    images = faces.images[probes]
    if model is not None:
        others = np.random.default_rng(seed).permutation(len(faces))[np.arange(len(probes)) % len(faces)]
        images = model.transfer(images, faces.images[others])
    who = faces.identities
    return identity_retrieval(
        faces.images[gallery], who[gallery], images, who[probes], judge, seed=seed, progress=False
    )


def retrieval_table(models: dict[str, Any], parts: Parts, judge: Any, seed: int) -> pandas.DataFrame:
    """Tables 5.2 and 5.3: per cent, with 95 % intervals, beside the source's."""
    import pandas

    rows = []
    for name, model in {"photographs": None, **models}.items():
        title, *printed = REAL if model is None else SETTINGS[name][1:]
        row: dict[str, Any] = {"faces": title}
        for part, faces, number in (("seen", parts.seen, printed[0]), ("unseen", parts.unseen, printed[1])):
            score = looked_up(model, faces, judge, seed)
            row |= {part: 100 * score.value, f"{part} low": 100 * score.low, f"{part} high": 100 * score.high}
            row[f"{part}, source"] = number
        rows.append(row)
    return pandas.DataFrame(rows)


def leakage_table(models: dict[str, Any], faces: Faces, seed: int) -> pandas.DataFrame:
    """Figure 5.5: top-1 of a perceptron on A's features of people whom A has not met."""
    import pandas

    from keras_faces.metrics.leakage import identity_leakage

    rows = []
    for name in [name for name in ("ip-gan", "no-kl") if name in models]:
        found = identity_leakage(models[name].attributes(faces.images[:]), faces.identities, seed=seed)
        shares = {"training": found.training, "validation": found.validation, "by chance": found.chance}
        rows.append({"A of": SETTINGS[name][1], **{key: 100 * share for key, share in shares.items()}})
    return pandas.DataFrame(rows)


def factor_table(model: Any, image_size: int, count: int = 1500) -> pandas.DataFrame:
    """On drawn faces of new people: whose factors a transfer shows, see ``keras_faces/metrics/factors.py``."""
    from keras_faces.data.drawn import DrawnFaces
    from keras_faces.metrics.factors import FactorReader, carried_over, factors

    learned, asked = (
        DrawnFaces(2 * count, image_size, seed=11),
        DrawnFaces(count, image_size, seed=12, identities=count),
    )
    images, known = asked[:], factors(asked)
    half = count // 2
    made = model.transfer(images[:half], images[half : 2 * half])
    reader = FactorReader(learned[:], factors(learned))
    return carried_over(reader, (images, known), made, known[:half], known[half : 2 * half])


def pictures(models: dict[str, Any], parts: Parts, out: Path) -> None:
    """Figures 5.3 and 5.4: columns x^s, x^a, then a column a setting; rows of seen people, then of unseen ones."""
    from keras_faces.applications.transfer import rows_figure
    from keras_faces.figures import grids

    several = [np.unique(faces.identities, return_index=True)[1][:4] for faces in (parts.seen, parts.unseen)]
    subjects = np.concatenate([parts.seen.images[several[0]], parts.unseen.images[several[1]]])
    attributes = np.roll(subjects, len(subjects) // 2 + 1, axis=0)
    for file, names in (("settings", list(SETTINGS)[:5]), ("lambda", ["lambda-0.01", "ip-gan", "lambda-1"])):
        made = [models[name].transfer(subjects, attributes) for name in names if name in models]
        titles = ", ".join(["x^s", "x^a", *(SETTINGS[name][1] for name in names if name in models)])
        grids.save(rows_figure(np.stack([subjects, attributes, *made], axis=1), titles), out / f"{file}.png")


# -------------------------------------------------------------------------------------------------- the command


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    from keras_faces.metrics.features import get

    judge = get(options.judge) if options.judge else None
    parts = parted(load(options.data, options.image_size), options.least, options.unseen, options.seed)
    print(f"{parts.training.summary()}\nseen: {parts.seen!r}\nunseen: {parts.unseen!r}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    if "recogniser" not in parse_options(options.option):
        recogniser(options.out / "recogniser", parts, options, options.seed)
    if judge is None:
        judge = get(f"classifier:{recogniser(options.out / 'judge', parts, options, options.seed + 1)}")
    models: dict[str, Any] = {}
    for name in options.settings:
        models[name] = trained(name, parts, options)
        tables = {f"Top-1 in a gallery, per cent, by {judge.name}": retrieval_table(models, parts, judge, options.seed)}
        tables["Top-1 of a perceptron on A's features, per cent"] = leakage_table(models, parts.unseen, options.seed)
        if options.data == "drawn" and "ip-gan" in models:
            tables["Whose factors a transfer shows, correlations"] = factor_table(models["ip-gan"], options.image_size)
        write(options, parts, {title: table for title, table in tables.items() if len(table)})
        pictures(models, parts, options.out)
    print((options.out / "results.md").read_text(encoding="utf-8"))
    return 0


def write(options: argparse.Namespace, parts: Parts, tables: dict[str, pandas.DataFrame]) -> None:
    """``results.md`` and a .csv for each table."""
    given = {key: str(value) for key, value in vars(options).items()}
    lines = [f"{machine()}", "", f"Trained on {parts.training!r}; asked: {parts.seen!r}, {parts.unseen!r}.", ""]
    lines += [f"Options: {json.dumps(given, ensure_ascii=False)}", ""]
    for number, (title, table) in enumerate(tables.items(), 1):
        lines += [f"### {title}", "", _markdown(table), ""]
        with atomic_write(options.out / f"table-{number}.csv") as beside:
            table.to_csv(beside, index=False)
    with atomic_write(options.out / "results.md") as beside:
        beside.write_text("\n".join(lines), encoding="utf-8")


def _markdown(table: pandas.DataFrame) -> str:
    def cell(value: Any) -> str:
        if isinstance(value, float):
            return "" if np.isnan(value) else f"{value:.2f}"
        return "" if value is None else str(value)

    rows = [list(table.columns), ["---"] * len(table.columns), *table.astype(object).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(cell(value) for value in row)} |" for row in rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ip_gan", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--data", default="drawn", help='"drawn", a folder a person, a packed .h5, or PIE\'s .mat (drawn)'
    )
    parser.add_argument("--least", type=positive, default=20, help="pictures of a person who is known by name (20)")
    parser.add_argument("--unseen", type=float, default=0.2, help="share of these people who are never shown (0.2)")
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS), help="(all)")
    parser.add_argument("--judge", metavar="F", help="features that look people up (another classifier of them)")
    parser.add_argument("--image-size", type=positive, default=32, help="side in pixels (32)")
    parser.add_argument("--width", type=positive, default=24, help="channels of the first stage (24)")
    parser.add_argument("--epochs", type=positive, default=10, help="of each setting (10)")
    parser.add_argument("--recogniser-epochs", type=positive, default=12, help="of I and of the judge (12)")
    parser.add_argument("--batch-size", type=two_or_more, default=32, help="(32)")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="of ip-gan, in all settings")
    parser.add_argument("--precision", default="auto", help="(auto)")
    parser.add_argument("--seed", type=natural, default=0, help="(0)")
    parser.add_argument("--out", type=Path, default=Path("results-ip"), help="the folder (results-ip)")
    return parser


if __name__ == "__main__":
    run(main)
