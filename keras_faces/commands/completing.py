"""``keras-faces complete``: half-hidden faces, completed by pixelcnn or pixelrnn."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import natural, png, positive, trained_run
from keras_faces.commands.translating import add_pictures, asked_pictures

PARTS = ("lower", "right", "upper", "left", "middle")  # of complete.PARTS


def add(commands) -> None:
    """Add the command."""
    command = commands.add_parser("complete", help="half-hidden faces: pixelcnn, pixelrnn", allow_abbrev=False)
    command.add_argument("run", type=Path, metavar="RUN", help="a run folder of pixelcnn or pixelrnn")
    add_pictures(command)
    command.add_argument("--hide", choices=PARTS, default="lower", help="which part of a face (lower)")
    command.add_argument("--times", type=positive, default=4, help="completions of each (4)")
    command.add_argument("--seed", type=natural, default=0, help="of the noise (0)")
    command.add_argument("--truncation", type=float, help="no noise beyond so many standard deviations (no limit)")
    command.add_argument("--out", type=Path, help="the .png file (RUN/completions.png)")
    command.set_defaults(command=complete_pictures)


def complete_pictures(options: argparse.Namespace) -> None:
    """Write faces, what is shown of them, and their completions."""
    from keras_faces import complete, plots

    out = png(options.out or options.run / "completions.png")
    folder, config, model = trained_run(options.run)
    images = asked_pictures(options, config)
    hidden = complete.hidden_part(options.hide, config.image_size)
    completed = complete.completions(model, images, hidden, options.times, options.seed, options.truncation)
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(complete.figure(images, hidden, completed, title=str(folder.path)), out)
    print(f"{len(images)} faces, their {options.hide} part drawn {options.times} times: {out}")
