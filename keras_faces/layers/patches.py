"""A discriminator of patches: a score for each place of an image instead of one for all of it.

Source: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks" (pix2pix), section 3.2.2
and appendix 6.1.2: convolutions 4×4, the first ones with stride 2, then one with stride 1 and the score. Each score
reads a patch of the image, 70×70 with three strides of 2: D asks whether details are right everywhere, and another loss
judges the image as a whole.

See also: ``models/translation/pix2pix.py``, ``models/translation/cyclegan.py``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
from keras import layers

from keras_faces.layers.dcgan_blocks import dcgan_init

SAME = partial(layers.Conv2D, padding="same")


def strides_for(image_size: int) -> int:
    """Return how many strides of 2 suit an image: patches of 16, 34 or 70 pixels, about half of its side at most.

    Parameters
    ----------
    image_size : int
        Side of the image in pixels.

    Returns
    -------
    int
        1, 2 or 3.
    """
    return 1 if image_size < 64 else 2 if image_size < 128 else 3


def patch_width(strides: int) -> int:
    """Return the side of the patch that one score reads, in pixels.

    Parameters
    ----------
    strides : int
        Convolutions with stride 2.

    Returns
    -------
    int
        16, 34, 70 for 1, 2, 3 strides.
    """
    width = 1
    for stride in [1, 1] + [2] * strides:  # from the score back to the image
        width = (width - 1) * stride + 4
    return width


def patch_stages(maps: Any, width: int, strides: int, norm: Any = None, conv: Any = SAME) -> Any:
    """Apply the convolutions, from images to one logit a patch.

    Parameters
    ----------
    maps : tensor, shape (batch, H, W, channels)
        Images, with what D reads beside them stacked as channels.
    width : int
        Channels of the first convolution; twice as many after each next one, up to eight times.
    strides : int
        Convolutions with stride 2.
    norm : callable, optional
        Makes the layer behind each convolution but the first, such as ``BatchNormalization``.
    conv : callable
        Makes a convolution with "same" padding, such as ``SpectralConv2D``.

    Returns
    -------
    tensor of float32, shape (batch, h, w, 1)
        Logits.
    """
    for stage, stride in enumerate([2] * strides + [1]):
        filters = width * min(8, 2**stage)
        maps = conv(filters, 4, strides=stride, kernel_initializer=dcgan_init())(maps)
        maps = norm()(maps) if norm and stage else maps
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 32, 32, 64 → 16, 16, 128 → 16, 16, 256 of 64, 64, 6
    return conv(1, 4, kernel_initializer=dcgan_init(), dtype="float32")(maps)  # 16, 16, 1


def instance_norm() -> keras.Layer:
    """Make a layer that gives each channel of each image mean 0 and deviation 1 (Ulyanov et al. 2016)."""
    return layers.LayerNormalization(axis=(1, 2), center=False, scale=False, epsilon=1e-5)
