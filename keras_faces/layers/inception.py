"""GoogLeNet's module: four branches that read the same map, side by side.

Source: Szegedy et al. 2015, "Going Deeper with Convolutions", figure 2b and table 1. A 1×1 convolution before each
larger one reduces the channels, so that 5×5 stays cheap; the four outputs are stacked as channels. Each convolution is
followed by BatchNormalization (Ioffe and Szegedy 2015, section 4.2) and ReLU; the paper's own nets, from before it,
needed local response normalisation and two more classifiers half way.

See also: ``models/dissertation/cvae_gan.py``, whose encoder is made of these.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

from keras import layers


@dataclass(frozen=True)
class Inception:
    """Channels of one module, a row of table 1."""

    one: int  # 1×1
    three_before: int  # 1×1 → 3×3
    three: int
    five_before: int  # 1×1 → 5×5
    five: int
    pooled: int  # 3×3 max pooling → 1×1

    @property
    def out(self) -> int:
        """Channels of the four branches together."""
        return self.one + self.three + self.five + self.pooled

    def narrowed(self, share: float) -> Inception:
        """Return the same module with a share of all channels, at least one each.

        Parameters
        ----------
        share : float
            In (0, 1].
        """
        return Inception(*(max(1, round(count * share)) for count in astuple(self)))


# Table 1, rows "inception (3a)" to "(5b)"; between the stages a max pooling halves the side.
STAGES = (
    (Inception(64, 96, 128, 16, 32, 32), Inception(128, 128, 192, 32, 96, 64)),
    (
        Inception(192, 96, 208, 16, 48, 64),
        Inception(160, 112, 224, 24, 64, 64),
        Inception(128, 128, 256, 24, 64, 64),
        Inception(112, 144, 288, 32, 64, 64),
        Inception(256, 160, 320, 32, 128, 128),
    ),
    (Inception(256, 160, 320, 32, 128, 128), Inception(384, 192, 384, 48, 128, 128)),
)


def convolution(maps: Any, filters: int, kernel_size: int, strides: int = 1) -> Any:
    """Convolution with "same" padding, BatchNormalization, ReLU."""
    maps = layers.Conv2D(filters, kernel_size, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(
        maps
    )
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(maps))


def inception(maps: Any, channels: Inception) -> Any:
    """Apply one module.

    Parameters
    ----------
    maps : tensor, shape (batch, side, side, n)
    channels : Inception
        Of the branches.

    Returns
    -------
    tensor, shape (batch, side, side, channels.out)
    """
    one = convolution(maps, channels.one, kernel_size=1)
    three = convolution(convolution(maps, channels.three_before, kernel_size=1), channels.three, kernel_size=3)
    five = convolution(convolution(maps, channels.five_before, kernel_size=1), channels.five, kernel_size=5)
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(maps)
    pooled = convolution(pooled, channels.pooled, kernel_size=1)
    return layers.Concatenate()([one, three, five, pooled])


def googlenet(image: Any, width: int = 64, smallest: int = 4) -> Any:
    """Apply table 1 from the image to the average pooling.

    The shapes in the code are for 128×128 images, for which the last pooling is 4×4 instead of the paper's 7×7
    (dissertation, section 4.3). Maps of smaller images reach that size earlier; the stages after that are left out.

    Parameters
    ----------
    image : tensor, shape (batch, side, side, 3)
        Images.
    width : int
        Channels of the first convolution, 64 in the paper; all others are in proportion.
    smallest : int
        Maps are halved until their side is this.

    Returns
    -------
    tensor, shape (batch, n)
        Features; n is 16 * width, or less where stages are left out.
    """
    share = width / 64
    maps = convolution(image, width, kernel_size=7, strides=2)  # 64, 64, 64
    if maps.shape[1] > smallest:
        maps = layers.MaxPooling2D(3, strides=2, padding="same")(maps)  # 32, 32, 64
    maps = convolution(maps, width, kernel_size=1)
    maps = convolution(maps, 3 * width, kernel_size=3)  # 32, 32, 192
    for stage in STAGES:
        if maps.shape[1] <= smallest:
            break
        maps = layers.MaxPooling2D(3, strides=2, padding="same")(maps)  # 16 → 8 → 4
        for channels in stage:
            maps = inception(maps, channels.narrowed(share))  # 16, 16, 480 → 8, 8, 832 → 4, 4, 1024
    return layers.GlobalAveragePooling2D()(maps)  # 1024
