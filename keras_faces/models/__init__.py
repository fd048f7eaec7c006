"""The systems of the course, one file each.

``available()`` names them, ``build(name, ...)`` makes one, ready for ``fit``. Neither loads a deep-learning framework
before a network is really built.
"""

from __future__ import annotations

import difflib
import importlib
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_faces.fast import onednn
from keras_faces.models.option_types import check_options, check_size, within_memory
from keras_faces.models.options import standard_options

# The name that a class types, the file that tells its story, and one line about it.
SYSTEMS = {
    "slides-v1": ("gans.slides_v1", "the slide deck's first pair: tanh everywhere, dense layers, max pooling"),
    "slides-v2": ("gans.slides_v2", "the deck's improved pair: BatchNormalization, LeakyReLU, Dropout, strides"),
    "gan": ("gans.gan", "the original: dense layers, algorithm 2.1 with its k steps of D"),
    "dcgan": ("gans.dcgan", "convolutions all the way, after the paper on Chinese faces"),
    "linear": ("gans.linear", "the LFW paper's fully connected pair, sigmoid at the end"),
    "linear-tanh": ("gans.linear_tanh", "the same pair, tanh at the end"),
    "conv": ("gans.conv", "convolutions in that pair, 125×125"),
    "multistage": ("gans.multistage", "that pair with one optimizer after another"),
    "lsgan": ("gans.lsgan", "least squares instead of cross-entropy"),
    "wgan": ("gans.wgan", "a critic with clipped weights measures a distance"),
    "wgan-gp": ("gans.wgan_gp", "the critic's gradient is kept at length 1 instead"),
    "sngan": ("gans.sngan", "every layer of D divided by its largest singular value"),
    "sagan": ("gans.sagan", "attention: every place of the image sees every other"),
    "pggan": ("gans.pggan", "grown from 4×4, each doubling faded in"),
    "stylegan": ("gans.stylegan", "a mapped w sets the style of every layer, noise the details"),
    "cgan": ("conditional.cgan", "told which face to make: the label goes into G and D"),
    "acgan": ("conditional.acgan", "D names the class, and G is rewarded for the right one"),
    "sgan": ("conditional.sgan", "D sorts faces into classes and one more, the fakes: few labels go a long way"),
    "infogan": ("conditional.infogan", "codes that nobody named: G is paid when Q can read them"),
    "stackgan": ("conditional.stackgan", "a sentence, a sketch of 32×32, and the picture made of it"),
    "fm-gan": ("dissertation.fm_gan", "G matches the centre of what D sees in photographs"),
    "fm-cgan": ("dissertation.fm_cgan", "that, and in each class the centre of what a classifier sees"),
    "cvae-gan": ("dissertation.cvae_gan", "an encoder, so that each face has a photograph to be like"),
    "ip-gan": ("dissertation.ip_gan", "the person of one picture, all the rest of another, strangers too"),
    "vae": ("autoencoders.vae", "a photograph becomes a code, noise becomes a face: blurred, and nobody is missing"),
    "pca": ("autoencoders.pca", "the mean face and so much of each eigenface: the straightest way to make faces"),
    "cvae": ("autoencoders.cvae", "the same with a label in both networks, so that the code says all the rest"),
    "vaegan": ("autoencoders.vaegan", "a discriminator's features measure the reconstruction, not the pixels"),
    "aae": ("autoencoders.aae", "a discriminator judges the codes, and never sees a face"),
    "pixelcnn": ("autoregressive.pixelcnn", "a face pixel by pixel, each given those before it: masked convolutions"),
    "pixelrnn": ("autoregressive.pixelrnn", "the same by an LSTM that goes down the rows"),
    "pix2pix": ("translation.pix2pix", "a photograph from its outlines, its brightness, a few pixels, or a part of it"),
    "cyclegan": ("translation.cyclegan", "from one kind of face to another and back, without pairs"),
}


def available() -> list[str]:
    """The names of all systems, in the order of the course."""
    return list(SYSTEMS)


def lesson(name: str) -> ModuleType:
    """The module of a system: its builders, its image sizes and the numbers that its source prints.

    Raises
    ------
    ValueError
        If there is no such system; the message names the nearest ones.
    """
    if name not in SYSTEMS:
        near = difflib.get_close_matches(str(name), SYSTEMS, n=3) or available()
        raise ValueError(
            f"there is no system {name!r}. Did you mean {' or '.join(near)}? `keras-faces list` shows all."
        )
    with onednn.without_notes():
        return importlib.import_module(f"keras_faces.models.{SYSTEMS[name][0]}")


def load(path: str | PathLike, compile: bool = True) -> Any:
    """A trained model from a run folder's ``model.keras``, or from a file of ``model.save``, whatever its system.

    ``keras.saving.load_model`` after the import of all classes of the course. It also opens a network that was saved
    alone, such as ``model.generator.save("g.keras")``; Keras by itself opens that only if all its layers are Keras's.

    Parameters
    ----------
    path
        The .keras file, or the run folder with its ``model.keras``.
    compile
        ``False`` leaves the optimizers out.

    Returns
    -------
    The model, with ``.generator``, ``.sample(count)`` and what else its system has.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or none in the folder: a training writes it at its end.
    """
    import keras

    from keras_faces.fast.door import accelerate
    from keras_faces.models.legacy import modern

    path = Path(path) / "model.keras" if Path(path).is_dir() else Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file. A run folder has its model.keras when the training has ended; "
            "`keras-faces train ... --resume` goes on with one that was broken off."
        )

    for name in SYSTEMS:
        lesson(name)
    with modern(path) as file:
        return accelerate(keras.saving.load_model(file, compile=compile))


def pretrained(name: str | None = None) -> Any:
    """A model that comes with the package, trained on drawn faces; without a name, the list of their names.

    Parameters
    ----------
    name : str, optional
        One of ``kf.models.pretrained()``, such as "sngan-drawn-64".

    Returns
    -------
    list of str, or FaceModel
        The model has a trained ``generator``, so ``.sample(count, seed=...)`` makes faces; its D is not trained.

    Raises
    ------
    ValueError
        If there is no such model; the message names those that there are.
    """
    from keras_faces.models import ready_models

    return ready_models.names() if name is None else ready_models.load(name)


def build(
    name: str,
    image_size: int | None = None,
    seed: int = 0,
    precision: str = "float32",
    stages: str | None = None,
    fast_layers: bool = True,
    **options: Any,
) -> Any:
    """Make a system, compiled with its source's own defaults.

    Parameters
    ----------
    name : str
        One of :func:`available`.
    image_size : int, optional
        Side of the images in pixels; ``None`` for the source's own. Each system says which sizes it can make.
    seed : int
        Seed of the initial weights, of Dropout and of the training noise. It is set by
        ``keras.utils.set_random_seed``, which also seeds Python's, NumPy's and the backend's global generators.
    precision : str
        "float32"; "bfloat16" (layers compute in bfloat16; weights, losses and optimizers stay float32: Keras's
        "mixed_bfloat16"); "float16" (the same for GPUs without bfloat16, with a loss scale for each network); or
        "auto", the fastest here (``fast/autotune.py``).
    stages : str, optional
        Optimizers by stage for both networks, such as "rmsprop:2e-4:300,adam:2e-4" (300 iterations of RMSprop, then
        Adam), instead of the system's own; see :func:`keras_faces.training.optimizers.parse_stages`.
    fast_layers : bool
        Whether layers compute by their fast forms (``kf.fast.accelerate``); ``False``: as Keras computes them.
    options
        Of the system's own ``build``, such as ``latent_dim`` or ``width``, and of its training rule, such as ``loss``,
        ``d_steps``, ``r1`` or ``average`` (``training/gan.py``). Old names of options go on working.

    Returns
    -------
    FaceModel
        A compiled ``keras.Model`` with ``.generator``, ``.discriminator`` where it has one, ``.sample`` and ``.fit``.

    Raises
    ------
    ValueError
        For an unknown name, precision or option, and for a size that the networks cannot make.
    """
    module = lesson(name)
    options = standard_options(name, options)
    fast_layers = options.pop("fast_layers", fast_layers)
    options = check_options(name, options)
    image_size = module.IMAGE_SIZE if image_size is None else check_size(image_size)
    policies = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
    if precision == "auto":
        from keras_faces.fast.autotune import choose

        precision = choose().precision
    if precision not in policies:
        raise ValueError(f"precision={precision!r}: choose from {', '.join(policies)}.")
    import keras

    from keras_faces.fast.door import plain
    from keras_faces.training.optimizers import StagedOptimizer, parse_stages

    keras.utils.set_random_seed(seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policies[precision])
    try:
        with within_memory(name):
            model = module.build(image_size=image_size, seed=seed, **options)
        if stages is not None:
            model.compile(StagedOptimizer(parse_stages(stages)), StagedOptimizer(parse_stages(stages)))
        return model if fast_layers else plain(model)  # `compile` has accelerated it
    finally:
        keras.config.set_dtype_policy(before)


def check_labels(name: str, labels: str | None, keep: int | None = None) -> None:
    """Stop if a system learns from labels and none are asked for, or the other way round.

    A system's file says by ``LABELS`` which kinds it learns from ("classes", "attributes"); most learn from none.
    One that also learns from faces without a label has ``PARTLY_LABELLED``; only of such a one labels can be hidden.
    """
    kinds = getattr(lesson(name), "LABELS", ())
    if kinds and not labels:
        raise ValueError(f'{name} learns from labels: say which, as --labels "Smiling, Male" or --labels identity.')
    if labels and not kinds:
        systems = [system for system in available() if getattr(lesson(system), "LABELS", ())]
        raise ValueError(f"{name} learns from no labels; leave --labels out, or take {', '.join(systems)}.")
    if keep is not None and not getattr(lesson(name), "PARTLY_LABELLED", False):
        systems = [system for system in available() if getattr(lesson(system), "PARTLY_LABELLED", False)]
        raise ValueError(f"{name} needs a label for each face; leave --keep-labels out, or take {', '.join(systems)}.")


def check_label_kind(name: str, kind: str) -> None:
    """Stop if a system does not learn from labels of this ``kind``, "classes" or "attributes"."""
    kinds = lesson(name).LABELS
    if kind not in kinds:
        way = "one attribute, or 'man = Male; woman = !Male'" if "classes" in kinds else "two attributes or more"
        raise ValueError(f"{name} learns from {' or '.join(kinds)}, and these labels are {kind}: give it {way}.")


def check_image_size(name: str, image_size: int, multiple: int, smallest: int) -> None:
    """Stop with the nearest sizes that work if the structure of ``name`` cannot make ``image_size``."""
    if image_size >= smallest and image_size % multiple == 0:
        return
    below = max(smallest, image_size // multiple * multiple)
    above = max(smallest, below + multiple if below < image_size else below)
    near = str(below) if below == above else f"{below} or {above}"
    raise ValueError(
        f"{name} cannot make {image_size}×{image_size} images: its sides are multiples of {multiple} "
        f"from {smallest} on. Try {near}."
    )
