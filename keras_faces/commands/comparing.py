"""``keras-faces compare A B C``: several systems under the same photographs, seed and budget."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import PRECISIONS, add_backend, add_data, backend_name, natural, positive, use_backend


def add(commands) -> None:
    """Add the command. None is the mark of "not given": a resumed comparison has its own."""
    compare = commands.add_parser(
        "compare", help="several systems under the same data, seed and budget", allow_abbrev=False
    )
    compare.add_argument(
        "systems", nargs="*", metavar="NAME", help="systems, with options where wanted: dcgan:loss=hinge,width=32"
    )
    add_data(compare)
    compare.add_argument("--labels", help='of systems that are told them, as in `train`: "Smiling, Male", identity:20')
    compare.add_argument("--image-size", type=positive, help="side in pixels, of all (32)")
    compare.add_argument("--epochs", type=positive, help="epochs of each (20)")
    compare.add_argument("--batch-size", type=positive, help="photographs an iteration (64)")
    compare.add_argument("--seed", type=natural, help="of weights, noise and order (0)")
    compare.add_argument("--precision", choices=PRECISIONS, help="float32, or bfloat16 layers where they are faster")
    compare.add_argument("--out", type=Path, default=Path("runs/compare"), help="the folder (runs/compare)")
    compare.add_argument("--resume", action="store_true", help="skip finished systems in --out and go on with the rest")
    compare.add_argument("--sample-every", type=positive, metavar="N", help="iterations between grids (200)")
    compare.add_argument("--checkpoint-every", type=positive, metavar="N", help="iterations between checkpoints (200)")
    compare.add_argument(
        "--features", metavar="F", help="score them: pixels, inception, classifier:RUN, file:PATH (no scores)"
    )
    add_backend(compare)
    compare.set_defaults(command=compare_systems)


def compare_systems(options: argparse.Namespace) -> int:
    """Train the systems into run folders, and lay their grids, curves and numbers side by side."""
    from keras_faces.runs import RunFolder

    if not options.resume:
        RunFolder(options.out).check_free()
    comparison = _comparison(options)
    use_backend(comparison.backend)
    from keras_faces import compare, data, metrics

    if comparison.features is not None:
        metrics.features.get(comparison.features)  # a mistake is told before anything is trained
    where = {"count": comparison.count, "seed": comparison.seed, "crop": comparison.crop, "strict": options.strict}
    if comparison.labels is None:
        entries = compare.prepare(comparison, options.out)  # a mistake is told before the photographs are read
        faces = data.load(comparison.data, comparison.image_size, **where)
    else:
        faces = data.load(comparison.data, comparison.image_size, **where).labelled(comparison.labels)
        entries = compare.prepare(comparison, options.out, faces)
    print(faces.summary())
    compare.run(comparison, entries, options.out, faces, resume=options.resume)
    drawn = compare.draw_reconstructions(entries, options.out, faces, seed=comparison.seed)
    if comparison.features is not None:
        compare.score(comparison, entries, options.out)
    print("\n" + compare.table(entries).to_string(index=False, na_rep="-"))
    made = [("comparison.png", "the faces"), ("curves.png", "the curves"), ("comparison.csv", "the table")]
    made += [("reconstructions.png", "photographs through each")] if drawn else []
    for name, what in made:
        print(f"  {what + ':':<12} {options.out / name}")
    return 0 if all(entry.state == "finished" for entry in entries) else 3


def _comparison(options: argparse.Namespace):
    """What is asked for; of a resumed comparison, what was, with other epochs, place of the data, or more systems."""
    from dataclasses import fields

    from keras_faces import compare
    from keras_faces.runs import RunError

    names = [field.name for field in fields(compare.Comparison)]
    given = {name: getattr(options, name) for name in names if getattr(options, name) not in (None, [])}
    if not options.resume:
        return compare.Comparison(**{**given, "backend": backend_name(options.backend)})
    comparison = compare.read(options.out)
    for name, value in given.items():
        if name not in ("epochs", "data", "systems", "features") and value != getattr(comparison, name):
            raise RunError(
                f"{options.out} was begun with {name} {getattr(comparison, name)!r}, not {value!r}: leave the option "
                "out to go on, or choose another --out."
            )
        setattr(comparison, name, value)
    return comparison
