"""A discriminator that judges patches: a score for each place of an image instead of one for all of it.

Source: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks" (pix2pix), section 3.2.2
and appendix 6.1.2: convolutions 4×4, the first ones with stride 2, then one with stride 1 and the score. Each score
sees a patch of the image, 70×70 with three strides of 2; so D asks whether details are right everywhere, and what the
image is as a whole is left to another loss.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
from keras import layers

from keras_faces.layers.convolution import Conv2D
from keras_faces.layers.ladder import normal

SAME = partial(Conv2D, padding="same")


def strides_for(image_size: int) -> int:
    """How many strides of 2: the patch is then at most about half of the image wide, 16, 34 or 70 pixels."""
    return 1 if image_size < 64 else 2 if image_size < 128 else 3


def patch_width(strides: int) -> int:
    """Pixels that a score sees, across: 16, 34, 70 for 1, 2, 3 strides of 2."""
    width = 1
    for stride in [1, 1] + [2] * strides:  # from the score back to the image
        width = (width - 1) * stride + 4
    return width


def patch_stages(maps: Any, width: int, strides: int, norm: Any = None, conv: Any = SAME) -> Any:
    """Maps (batch, H, W, channels) to logits (batch, h, w, 1), one a patch.

    Parameters
    ----------
    width
        Channels of the first convolution; twice as many after each next one, up to eight times.
    strides
        Convolutions with stride 2.
    norm
        Makes the layer behind each convolution but the first, such as ``layers.BatchNormalization``; ``None``: none.
    conv
        Makes the convolutions, such as ``SpectralConv2D``; they are to pad as "same" does.
    """
    for stage, stride in enumerate([2] * strides + [1]):
        filters = width * min(8, 2**stage)
        maps = conv(filters, 4, strides=stride, kernel_initializer=normal())(maps)
        maps = norm()(maps) if norm and stage else maps
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 32, 32, 64 → 16, 16, 128 → 16, 16, 256 of 64, 64, 6
    return conv(1, 4, kernel_initializer=normal(), dtype="float32")(maps)  # 16, 16, 1


def instance_norm() -> keras.Layer:
    """Each channel of each image by its own mean and deviation, without weights (Ulyanov et al. 2016)."""
    return layers.LayerNormalization(axis=(1, 2), center=False, scale=False, epsilon=1e-5)
