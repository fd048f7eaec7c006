"""Pictures of pca: the mean face, the eigenfaces, and how much a photograph loses with so many of them.

    kf.plots.save(figure(model), "eigenfaces.png")
    table = curve(model, photographs)                 # components and error
    kf.plots.save(figure_of_errors(model, photographs, table), "errors.png")

An eigenface has no brightness of its own: it says where a face becomes brighter and where darker, as one goes along it.
So it is drawn around grey, and beside it the faces that lie along it, from −2 to 2 standard deviations.

Read next: ``models/pca.py``; ``commands/encoding.py`` (`keras-faces eigenfaces`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces import plots

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


def check_pca(model: Any, what: str = "this") -> None:
    """Stop if a model has no eigenfaces."""
    if not hasattr(model, "components"):
        raise ValueError(f"{what} is a run of {model.name}, which has no eigenfaces: they are pictures of pca.")


def eigenface_pictures(model: Any, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The mean face and the first eigenfaces as pictures.

    Returns
    -------
    uint8 (H, W, 3), and uint8 (count, H, W, 3): 0 is drawn as grey, each one's largest number as far from it as
    there is room.
    """
    check_pca(model)
    _, components, _ = model.components()
    mean = model.decode(np.zeros((1, model.latent_dim)))[0]
    shown = components[:count]
    largest = np.abs(shown).max(axis=(1, 2, 3), keepdims=True)
    return mean, (127.5 + 127.5 * shown / np.maximum(largest, 1e-12)).round().astype("uint8")


def figure(model: Any, count: int = 24, along: int = 6) -> Figure:
    """The mean face with the first ``count`` eigenfaces, and the faces along the first ``along`` of them."""
    from matplotlib.figure import Figure

    mean, components = eigenface_pictures(model, count)
    deviations = np.linspace(-2.0, 2.0, 7)
    along = min(along, model.latent_dim)
    codes = np.zeros((along, len(deviations), model.latent_dim), "float32")
    for number in range(along):
        codes[number, :, number] = deviations
    faces = model.decode(codes.reshape(-1, model.latent_dim))
    drawn = Figure(figsize=(11, 5.4), layout="constrained")
    left, right = drawn.subplots(1, 2)
    left.imshow(plots.magnify(plots.tile(np.concatenate([mean[None], components])), 500), interpolation="antialiased")
    left.set_title(f"the mean face, and the first {len(components)} eigenfaces")
    right.imshow(plots.magnify(plots.tile(faces, len(deviations)), 500), interpolation="antialiased")
    right.set_title(f"along the first {along}, a row each: −2 to 2 standard deviations")
    for axes in (left, right):
        axes.set_axis_off()
    return drawn


def curve(model: Any, photographs: np.ndarray) -> pandas.DataFrame:
    """What is lost with 0, 1, ..., k components.

    Parameters
    ----------
    photographs
        uint8 (n, H, W, 3); of those that the model was fitted to, the error is a little smaller than of others.

    Returns
    -------
    A table: ``components``, ``error`` (mean of ‖x − x̂‖², pixels from 0 to 1) and ``share`` (of the error with none).
    """
    import pandas

    check_pca(model)
    errors = model.errors(photographs)
    return pandas.DataFrame({"components": np.arange(len(errors)), "error": errors, "share": errors / errors[0]})


def figure_of_errors(model: Any, photographs: np.ndarray, table: pandas.DataFrame, faces: int = 4) -> Figure:
    """The curve of :func:`curve`, and photographs beside what 1, 2, 4, ..., k components keep of them."""
    from matplotlib.figure import Figure

    counts = [2**power for power in range(20) if 2**power < model.latent_dim] + [model.latent_dim]
    photographs = photographs[:faces]
    codes = model.encode(photographs)
    kept = [model.decode(np.where(np.arange(model.latent_dim) < count, codes, 0.0)) for count in counts]
    rows = np.stack([*kept, photographs], axis=1)
    drawn = Figure(figsize=(11, 1.4 + 1.1 * len(photographs) + 3.2), layout="constrained")
    above, below = drawn.subplots(2, 1, height_ratios=(3, 1.2 * len(photographs)))
    above.plot(table["components"], table["share"])
    above.set(xlabel="components", ylabel="share of the error that is left", ylim=(0, 1.02))
    above.grid(alpha=0.3)
    picture = plots.magnify(plots.tile(rows.reshape(-1, *rows.shape[2:]), rows.shape[1]), 400)
    below.imshow(picture, interpolation="antialiased")
    cell = picture.shape[1] / rows.shape[1]
    below.set_xticks([cell * (place + 0.5) for place in range(rows.shape[1])], [*map(str, counts), "photograph"])
    below.set_yticks([])
    below.tick_params(length=0)
    for spine in below.spines.values():
        spine.set_visible(False)
    return drawn
