"""A system's layers beside the numbers that its source prints (``keras-faces describe NAME``)."""

from __future__ import annotations

import json
from textwrap import wrap

import keras

from keras_faces.models.option_types import options_of
from keras_faces.models.printed import LITERAL, PRINTED


def describe(name: str, model: keras.Model) -> str:
    """Keras's summary of each network, and a table that lays the source's numbers beside it.

    Parameters
    ----------
    name
        The system, one of ``kf.models.available()``.
    model
        What ``kf.models.build(name, ...)`` gave.

    Returns
    -------
    Text of many lines. Where the network is a reading of the source, it shows the source's own layers and says so.
    """
    printed = PRINTED.get(name, {})
    size = model.generator.output_shape[1]
    parts = []
    for role in ("generator", "discriminator", "encoder"):
        network = getattr(model, role, None)
        if network is None:  # not every system has a D, or an encoder
            continue
        lines: list[str] = []
        network.summary(print_fn=lambda line, lines=lines: lines.append(line), line_length=80)
        parts.append("\n".join(lines))
        tables = {side: roles[role] for side, roles in printed.items() if role in roles}
        if not tables:
            parts.append(f"{name}, {role}: the source prints no layers; these are ours.")
        elif len(tables.get(size, [])) == len(network.layers):
            parts.append(beside(network, tables[size], f"{name}, {role}"))
        else:
            (side, rows), *_ = tables.items()
            parts.append(
                f"{table(rows, f'{name}, {role}: the source, {side}×{side}')}\n\n"
                f"The network above, {size}×{size}, is a reading of it (docs/errata.md). The source's own: "
                f"keras-faces describe {name} --image-size {side}{LITERAL.get((name, role), '')}"
            )
    parts.append(options_table(name))
    return "\n\n".join(parts)


def options_table(name: str) -> str:
    """The options of a system, its defaults and what each is, a line each."""
    lines = [f"Options of {name} (--option NAME=VALUE on the command line):"]
    own_flags = ("image_size", "seed", "label_names", "label_kind")
    for option in (each for each in options_of(name).values() if each.name not in own_flags):
        default = json.dumps(option.default) if not isinstance(option.default, str) else option.default
        about = option.about.replace("``", "").replace(":func:", "").replace(":class:", "")
        lines += wrap(about, 120, initial_indent=f"  {option.name:<24} {default:<16} ", subsequent_indent=" " * 44)
    return "\n".join(lines)


def table(rows: list[tuple[str, tuple[int, ...], int]], title: str) -> str:
    """The source's layers, a line each."""
    lines = [title, f"{'':2}{'layer':<20}{'output':>18}{'parameters':>13}"]
    lines += [f"  {layer:<20}{', '.join(map(str, shape)):>18}{count:>13,}" for layer, shape, count in rows]
    return "\n".join([*lines, f"  {'total':<20}{sum(count for *_, count in rows):>31,}"])


def beside(network: keras.Model, rows: list[tuple[str, tuple[int, ...], int]], title: str) -> str:
    """The source's layers and the network's, line by line; ``≠`` marks a line that differs."""
    ours = [(type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params()) for layer in network.layers]
    lines = [
        title,
        f"{'':2}{'layer':<20}{'source: output':>18}{'parameters':>13}{'here: output':>20}{'parameters':>13}",
    ]
    for source, here in zip(rows, ours, strict=True):
        mark = "  " if source == here else "≠ "
        shapes = [", ".join(map(str, row[1])) for row in (source, here)]
        lines.append(f"{mark}{source[0]:<20}{shapes[0]:>18}{source[2]:>13,}{shapes[1]:>20}{here[2]:>13,}")
    totals = [sum(row[2] for row in table) for table in (rows, ours)]
    lines.append(f"{'  ' if totals[0] == totals[1] else '≠ '}{'total':<20}{totals[0]:>31,}{totals[1]:>33,}")
    return "\n".join(lines)
