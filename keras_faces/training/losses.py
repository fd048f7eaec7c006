"""Adversarial losses as pairs, what D minimises and what G minimises, and the penalties on D.

All read *logits*, the outputs before the sigmoid (for Wasserstein's critic, its output). ``log(sigmoid(t))`` in two
steps becomes ``log(0)`` as soon as D is sure; computed from the logit it stays exact. Each loss is a mean over its
images, in float32. ``PAIRS`` at the end names them: ``kf.models.build("dcgan", loss="hinge")``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import ops

# --------------------------------------------------------------------------------------------- cross-entropy


def binary_crossentropy(target: float, logits: Any) -> Any:
    """Return the mean binary cross-entropy between one ``target`` and the sigmoid of ``logits``.

    ``-[y log s(t) + (1 - y) log(1 - s(t))]``, written so that no logarithm meets a zero:
    ``max(t, 0) - t y + log(1 + exp(-|t|))``.

    Parameters
    ----------
    target : float
        The label y in [0, 1]: 1 for real, 0 for fake, 0.9 for a smoothed real.
    logits : tensor
        Of any shape, usually (batch, 1).

    Returns
    -------
    tensor
        Scalar, float32.
    """
    logits = ops.cast(logits, "float32")
    return ops.mean(ops.maximum(logits, 0.0) - logits * target + ops.log1p(ops.exp(-ops.abs(logits))))


def discriminator_loss(real_logits: Any, fake_logits: Any, label_smoothing: float = 0.0) -> Any:
    """D's side: real images are to score 1, fakes 0.

    The mean over the 2·batch images, which is half the sum of the two sides; a D that cannot tell them apart pays
    ln 2 = 0.693 (Goodfellow et al. 2014, eq. 1, with the sign of a loss).

    Parameters
    ----------
    real_logits, fake_logits : tensor, shape (batch, 1)
        Logits.
    label_smoothing : float
        In [0, 1): the label of a real image is ``1 - label_smoothing``; that of a fake stays 0 (one-sided, Salimans
        et al. 2016, section 3.4).
    """
    real = binary_crossentropy(1.0 - label_smoothing, real_logits)
    return 0.5 * (real + binary_crossentropy(0.0, fake_logits))


def generator_loss(fake_logits: Any) -> Any:
    """G's side: its images are to score 1, ``-mean log D(G(z))`` (non-saturating; the slides' "score = 1")."""
    return binary_crossentropy(1.0, fake_logits)


def saturating_generator_loss(fake_logits: Any) -> Any:
    """G's side as algorithm 2.1 prints it: ``mean log(1 - D(G(z)))``. At most 0, and flat where D is sure of a fake."""
    return -binary_crossentropy(0.0, fake_logits)


# ------------------------------------------------------------------------------------- squares, Wasserstein, hinge


def least_squares_discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """LSGAN, D's side (dissertation, eq. 2.10): ``½ mean (D(x) - 1)² + ½ mean (D(G(z)) + 1)²``."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return 0.5 * ops.mean((real_logits - 1.0) ** 2) + 0.5 * ops.mean((fake_logits + 1.0) ** 2)


def least_squares_generator_loss(fake_logits: Any) -> Any:
    """LSGAN, G's side (eq. 2.11): ``½ mean D(G(z))²``. The target is 0, half way between D's −1 and 1."""
    return 0.5 * ops.mean(ops.cast(fake_logits, "float32") ** 2)


def wasserstein_discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """WGAN, the critic's side (eq. 2.8): ``mean D(G(z)) - mean D(x)``; its negative estimates the distance."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return ops.mean(fake_logits) - ops.mean(real_logits)


def wasserstein_generator_loss(fake_logits: Any) -> Any:
    """WGAN, G's side (eq. 2.9), and that of the hinge loss: ``-mean D(G(z))``."""
    return -ops.mean(ops.cast(fake_logits, "float32"))


def hinge_discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Hinge, D's side (Miyato et al. 2018, eq. 16): ``mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z)))``."""
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return ops.mean(ops.maximum(1.0 - real_logits, 0.0)) + ops.mean(ops.maximum(1.0 + fake_logits, 0.0))


# ------------------------------------------------------------------------------------------------- penalties


def between(real: Any, fake: Any, share: Any) -> Any:
    """Points on the lines from fakes to photographs: ``share · real + (1 - share) · fake``.

    ``share`` has the shape (batch, 1, 1, 1): one number an image, uniform in [0, 1) (Gulrajani et al. 2017,
    algorithm 1), not one a pixel.
    """
    return share * real + (1.0 - share) * fake


def gradient_penalty(gradients: Any) -> Any:
    """``mean (‖∇D(x̂)‖₂ - 1)²``, to be *added* to D's loss (eq. 2.12).

    The source prints it with all signs turned (errata S2).

    Parameters
    ----------
    gradients : tensor, shape (batch, H, W, 3)
        Of D's output by its input. The norm is over all pixels of an image. The 1e-12 under the root
        keeps its own gradient finite where the norm is 0.
    """
    norms = ops.sqrt(ops.sum(ops.cast(gradients, "float32") ** 2, axis=(1, 2, 3)) + 1e-12)
    return ops.mean((norms - 1.0) ** 2)


def r1_penalty(gradients: Any) -> Any:
    """``mean ½ ‖∇D(x)‖²`` at photographs (Mescheder et al. 2018, eq. 9 without its γ)."""
    return 0.5 * ops.mean(ops.sum(ops.cast(gradients, "float32") ** 2, axis=(1, 2, 3)))


# ------------------------------------------------------------------------------------------- feature centers


def center_matching(real_centers: Any, fake_centers: Any) -> Any:
    """``½ Σₖ ‖real center k − fake center k‖²``, G's loss in D (one center, eq. 3.10) and in a classifier (eq. 3.12).

    Eq. 3.10 prints a minus in front of the ½, which would drive the centers apart (errata S1).

    Parameters
    ----------
    real_centers, fake_centers
        Means of features, (classes, n) or (n,); see ``training/feature_centers.py``.
    """
    real_centers, fake_centers = _float32(real_centers, fake_centers)
    return 0.5 * ops.sum((real_centers - fake_centers) ** 2)


# --------------------------------------------------------------------------------------------------- by name


@dataclass(frozen=True)
class Pair:
    """What D minimises, what G minimises, and what the pair needs to work."""

    discriminator: Callable
    generator: Callable
    probability: bool = False  # sigmoid(logit) is the probability that an image is real
    critic: bool = False  # D's output has no zero point: only differences count
    clip: float | None = None  # D's weights are clipped to ± this after each of its updates
    gradient_penalty: float = 0.0  # weight of the penalty


PAIRS = {
    "non-saturating": Pair(discriminator_loss, generator_loss, probability=True),
    "saturating": Pair(discriminator_loss, saturating_generator_loss, probability=True),
    "lsgan": Pair(least_squares_discriminator_loss, least_squares_generator_loss),
    "wgan": Pair(wasserstein_discriminator_loss, wasserstein_generator_loss, critic=True, clip=0.01),
    "wgan-gp": Pair(wasserstein_discriminator_loss, wasserstein_generator_loss, critic=True, gradient_penalty=10.0),
    "hinge": Pair(hinge_discriminator_loss, wasserstein_generator_loss),
}


def pair(name: str) -> Pair:
    """The pair of this name; a wrong one raises a ``ValueError`` that names the right ones."""
    if name not in PAIRS:
        raise ValueError(f"loss={name!r}: choose from {', '.join(PAIRS)}.")
    return PAIRS[name]


def _float32(*tensors: Any) -> list[Any]:
    return [ops.cast(tensor, "float32") for tensor in tensors]
