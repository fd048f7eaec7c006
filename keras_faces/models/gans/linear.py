"""linear: the LFW paper's fully connected pair, as its tables 1 and 2 give it.

Source: the course's second paper (faces of LFW at 125×125), sections 2.1.1 and 2.1.2:

    G: noise 128×128×3 → 256×256×3 → 128×128×3 → 64×64×3, ReLU after each → 128×128×3, sigmoid
    D: 125×125×3 → 256×256 → 64×64 → 16×16, LeakyReLU after each → 1, sigmoid

With every layer dense, G has 2.05·10¹⁰ weights and D 3.3·10⁹: ``keras-faces describe linear --option divisor=1`` counts
them without allocating them. The default divides the sides of the noise and of the hidden layers by 8. In the tables G
makes 128×128 and D reads 125×125; here both have the same ``image_size`` (``docs/errata.md``).

See also: ``linear_tanh.py``, the same pair with another last activation.
"""

from __future__ import annotations

import math
import os
from typing import Any

import keras
from keras import layers

from keras_faces.models import check_image_size
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 125
DIVISOR = 8

_G_SIDES = (128, 256, 128, 64)  # the noise and the hidden layers, three channels each
_D_SIDES = (256, 64, 16)  # one channel each


def sizes(image_size: int = IMAGE_SIZE, divisor: int = DIVISOR) -> dict[str, list[int]]:
    """Return the units of every layer from input to output, of ``"generator"`` and ``"discriminator"``."""
    pixels = image_size * image_size * 3
    return {
        "generator": [3 * (side // divisor) ** 2 for side in _G_SIDES] + [pixels],
        "discriminator": [pixels] + [(side // divisor) ** 2 for side in _D_SIDES] + [1],
    }


def weights(units: list[int]) -> int:
    """Return how many weights and biases the dense layers between these units have."""
    return sum((inputs + 1) * outputs for inputs, outputs in zip(units, units[1:], strict=False))


def report(image_size: int = IMAGE_SIZE, divisor: int = DIVISOR, **_: Any) -> str:
    """Return the tables with their counts of weights, for ``keras-faces describe``; no weight is allocated."""
    lines = []
    for name, units in sizes(image_size, divisor).items():
        lines.append(f"{name}, sides divided by {divisor}")
        for inputs, outputs in zip(units, units[1:], strict=False):
            lines.append(f"  {inputs:>9,} → {outputs:>9,} {weights([inputs, outputs]):>17,}")
        lines.append(f"  total {weights(units):>33,} weights, {4e-9 * weights(units):,.1f} GB\n")
    return "\n".join(lines)


def generator(
    image_size: int = IMAGE_SIZE, divisor: int = DIVISOR, latent_dim: int | None = None, activation: str = "sigmoid"
) -> keras.Sequential:
    """Return G, from noise to an image (image_size, image_size, 3): in [0, 1] by "sigmoid", in [-1, 1] by "tanh"."""
    noise, *hidden, pixels = sizes(image_size, divisor)["generator"]
    stages = [layers.Input((latent_dim or noise,))]  # 768
    for units in hidden:
        stages += [layers.Dense(units, activation="relu")]  # 3072 → 768 → 192
    stages += [
        layers.Dense(pixels, dtype="float32"),
        layers.Activation(activation, dtype="float32"),  # 46875
        layers.Reshape((image_size, image_size, 3), dtype="float32"),  # 125, 125, 3
    ]
    return keras.Sequential(stages, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, divisor: int = DIVISOR) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) to the probability (1,) that it is real."""
    _, *hidden, _ = sizes(image_size, divisor)["discriminator"]
    stages = [layers.Input((image_size, image_size, 3)), layers.Flatten()]  # 46875
    for units in hidden:
        stages += [layers.Dense(units), layers.LeakyReLU(negative_slope=0.2)]  # 1024 → 64 → 4
    stages += [
        layers.Dense(1, dtype="float32"),
        layers.Activation("sigmoid", dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    divisor: int = DIVISOR,
    latent_dim: int | None = None,
    d_learning_rate: float = 1e-4,
    g_learning_rate: float = 2e-4,
    activation: str = "sigmoid",
    seed: int = 0,
    name: str = "linear",
    **options: Any,
) -> RegularizedGAN:
    """Return the fully connected pair, compiled.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, at least 8: 125 as D reads, 128 as G makes in the tables, or any other.
    divisor : int
        By what the tables' sides of noise and hidden layers are divided: 1, 2, 4, 8 or 16.
    latent_dim : int, optional
        Length of the noise vector z, if not 128×128×3 with its sides divided.
    d_learning_rate, g_learning_rate : float
        Adam's learning rates for D and for G; the paper gives none. With a slower D, G's faces get more contrast.
    activation : str
        G's last one: "sigmoid" or "tanh".
    seed, name, options
        As of :func:`dcgan.build`.

    Raises
    ------
    ValueError
        For another divisor, a smaller ``image_size``, and a pair that this machine's memory cannot hold.
    """
    check(name.replace("_", "-"), image_size, divisor)
    model = RegularizedGAN(
        generator(image_size, divisor, latent_dim, activation),
        discriminator(image_size, divisor),
        value_range=(0.0, 1.0) if activation == "sigmoid" else (-1.0, 1.0),
        seed=seed,
        name=name,
        **options,
    )
    model.compile(
        keras.optimizers.Adam(d_learning_rate, beta_1=0.5), keras.optimizers.Adam(g_learning_rate, beta_1=0.5)
    )
    return model


def check(name: str, image_size: int, divisor: int) -> None:
    """Raise ValueError for a pair that has no layers or needs more memory than this machine has."""
    check_image_size(name, image_size, multiple=1, smallest=8)
    if divisor not in (1, 2, 4, 8, 16):
        raise ValueError(f"divisor={divisor}: {name} divides the table's sides by 1, 2, 4, 8 or 16.")
    needed = 16e-9 * sum(map(weights, sizes(image_size, divisor).values()))  # weights, gradients, Adam's two moments
    if needed > memory():
        raise ValueError(
            f"{name} with divisor={divisor} needs {needed:,.0f} GB to train, this machine has {memory():,.0f} GB. Take "
            f"a larger divisor; `keras-faces describe {name} --option divisor={divisor}` shows its table."
        )


def memory() -> float:
    """Return this machine's memory in GB; infinity where the operating system does not give it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 1e-9
    except (AttributeError, ValueError, OSError):
        return math.inf
