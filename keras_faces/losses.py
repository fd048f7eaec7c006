"""Adversarial losses, as pairs: what D minimises and what G minimises.

All take *logits*, the numbers before the sigmoid. ``log(sigmoid(t))`` computed in two steps becomes ``log(0)`` as soon
as D is sure of itself; computed from the logit it stays exact. Each loss is a mean over the images it is given, in
float32.

Read next: ``training/adversarial.py``, where the step calls them.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def binary_crossentropy(target: float, logits: Any) -> Any:
    """Mean binary cross-entropy between one ``target`` and the sigmoid of ``logits``.

    ``-[y log s(t) + (1 - y) log(1 - s(t))]``, written so that no logarithm meets a zero:
    ``max(t, 0) - t y + log(1 + exp(-|t|))``.

    Parameters
    ----------
    target
        The label y in [0, 1]: 1 for real, 0 for fake, 0.9 for a smoothed real.
    logits
        Tensor of any shape, usually (batch, 1).
    """
    logits = ops.cast(logits, "float32")
    return ops.mean(ops.maximum(logits, 0.0) - logits * target + ops.log1p(ops.exp(-ops.abs(logits))))


def discriminator_loss(real_logits: Any, fake_logits: Any, label_smoothing: float = 0.0) -> Any:
    """D's side: real images are to score 1, fakes 0.

    The mean over the 2·batch images, which is half the sum of the two sides; a D that cannot tell them apart pays
    ln 2 = 0.693 (Goodfellow et al. 2014, eq. 1, with the sign of a loss).

    Parameters
    ----------
    real_logits, fake_logits
        Logits of shape (batch, 1).
    label_smoothing
        In [0, 1): the label of a real image is ``1 - label_smoothing``; that of a fake stays 0 (one-sided, Salimans
        et al. 2016, section 3.4).
    """
    real = binary_crossentropy(1.0 - label_smoothing, real_logits)
    return 0.5 * (real + binary_crossentropy(0.0, fake_logits))


def generator_loss(fake_logits: Any) -> Any:
    """G's side: its images are to score 1, ``-mean log D(G(z))`` (non-saturating; the slides' "score = 1")."""
    return binary_crossentropy(1.0, fake_logits)
