"""``keras-faces consistency RUN --classifier CLASSIFIER``: does a conditional system make what it is asked for?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from keras_faces.commands.conditional import conditional_run
from keras_faces.commands.options import natural, positive


def add(commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "consistency", help="are the labels found in the faces that were asked for by them?", allow_abbrev=False
    )
    command.add_argument("run", type=Path, metavar="RUN", help="a run folder of a conditional system")
    command.add_argument(
        "--classifier", type=Path, required=True, metavar="RUN", help="a run of `keras-faces classify`, same --labels"
    )
    command.add_argument("--count", type=positive, default=1000, help="how many faces to ask for (1000)")
    command.add_argument("--seed", type=natural, default=0, help="of noise and labels (0)")
    command.set_defaults(command=measure)


def measure(options: argparse.Namespace) -> None:
    """Print the table, generated beside held-out real faces, and write it to ``RUN/consistency.json``."""
    model = conditional_run(options.run)
    found, table = judged(model, options.classifier, options.count, options.seed)
    from keras_faces.files import replacing

    out = options.run / "consistency.json"
    with replacing(out) as beside:
        beside.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{options.count:,} faces of {options.run}, judged by {found['classifier']}\n")
    print(table.to_string(na_rep="-", float_format=lambda value: f"{value:.1f}"))
    print(f"\nIn per cent; real: held-out photographs, by the classifier's own report. {out}")


def judged(model, classifier: Path, count: int, seed: int):
    """What a classifier finds in ``count`` faces, each asked for by labels that a seed draws evenly.

    Attributes are asked for by the toss of a coin each, classes in turn; so chance is a half, or one of the classes. A
    system of sentences may know more attributes than the classifier does: of those is no word.

    Returns
    -------
    A dict for JSON, and the same as a table: of attributes how often one is found where it was asked for (``found``)
    and missed where it was not (``absent``), and the mean of both; of classes how often a face is taken for its own.
    """
    import numpy as np
    import pandas

    from keras_faces.data.labels import Labels
    from keras_faces.metrics import consistency_by_label, label_consistency
    from keras_faces.metrics.features import get

    features = get(f"classifier:{classifier}")
    names = list(model.label_names)
    if hasattr(model, "text_encoder"):
        names = [name for name in names if name in features.class_names] or names
    columns, n = [model.label_names.index(name) for name in names], len(names)
    if model.label_kind == "attributes":
        vectors = np.random.default_rng(seed).integers(0, 2, (count, n)).astype("float32")
    else:
        vectors = np.eye(n, dtype="float32")[np.arange(count) % n]
    asked = np.full((count, len(model.label_names)), np.nan, "float32")  # not a number: not said
    asked[:, columns] = vectors
    images = model.sample(count, seed=seed, labels=asked)
    labels = Labels(model.label_kind, tuple(names), vectors)
    whole = label_consistency(images, labels, features, seed=seed)
    each = {name: score.value * 100 for name, score in consistency_by_label(images, labels, features).items()}
    report = json.loads((classifier / "report.json").read_text(encoding="utf-8"))
    rows = {}
    for name in names:
        real = report["labels"][name]
        if model.label_kind == "attributes":
            here, absent = each[name], each[f"not {name}"]
            rows[name] = {"found": here, "absent": absent, "mean": (here + absent) / 2, "real": real["balanced"] * 100}
        else:
            rows[name] = {"found": each[name], "real": real["found"] * 100}
    chance = 50.0 if model.label_kind == "attributes" else 100.0 / n
    mean = "mean" if model.label_kind == "attributes" else "found"
    rows["all"] = {mean: np.mean([row[mean] for row in rows.values()])}
    rows["all"]["real"] = np.mean([row["real"] for row in rows.values() if "real" in row])
    told = {"score": whole.to_dict(), "classifier": features.name, "chance": chance, "labels": rows}
    return told, pandas.DataFrame(rows).T.rename_axis(f"chance {chance:.1f}")
