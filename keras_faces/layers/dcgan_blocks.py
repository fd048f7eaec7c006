"""What DCGAN's networks are made of: convolutions with stride 2, at every image size, and their initial weights.

A convolution with stride 2 and "same" padding halves a side and rounds up: 125 → 63 → 32 → 16 → 8 → 4. A transposed
convolution goes back up: from 63 to 126, or, with one pixel less of padding, to 125. So a generator that has its
discriminator's sides in reverse makes every size exactly.

Source: Radford et al. 2016, section 3.
"""

from __future__ import annotations

from typing import Any

from keras import initializers, layers


def feature_sizes(image_size: int) -> list[int]:
    """Return the sides of the maps, from the image down to a map of at most 4×4.

    Parameters
    ----------
    image_size : int
        Side of the image in pixels.

    Returns
    -------
    list of int
        ``feature_sizes(125) == [125, 63, 32, 16, 8, 4]``.
    """
    ladder = [image_size]
    while ladder[-1] > 4:
        ladder.append((ladder[-1] + 1) // 2)
    return ladder


def feature_channels(image_size: int, width: int, max_multiplier: int = 8) -> list[int]:
    """Return the channels of the maps below the image: twice as many after each halving.

    Parameters
    ----------
    image_size : int
        Side of the image in pixels.
    width : int
        Channels of the largest map.
    max_multiplier : int
        No map has more than ``max_multiplier * width`` channels.

    Returns
    -------
    list of int
        ``feature_channels(64, 32) == [32, 64, 128, 256]``, for the sides 32, 16, 8 and 4.
    """
    return [width * min(max_multiplier, 2**rung) for rung in range(len(feature_sizes(image_size)) - 1)]


def dcgan_init() -> Any:
    """Return the initial weights of Radford et al. 2016, section 4: normal, standard deviation 0.02."""
    return initializers.RandomNormal(stddev=0.02)


def downconv(filters: int, **options: Any) -> layers.Conv2D:
    """Make a 5×5 convolution with stride 2: a side n becomes ⌈n / 2⌉.

    Parameters
    ----------
    filters : int
        Channels of the output.
    options
        Of ``keras.layers.Conv2D``.
    """
    return layers.Conv2D(filters, kernel_size=5, strides=2, padding="same", kernel_initializer=dcgan_init(), **options)


def upconv(filters: int, side: int, **options: Any) -> layers.Conv2DTranspose:
    """Make a transposed 5×5 convolution with stride 2.

    Parameters
    ----------
    filters : int
        Channels of the output.
    side : int
        Side of the output; that of the input is ⌈side / 2⌉.
    options
        Of ``keras.layers.Conv2DTranspose``.
    """
    return layers.Conv2DTranspose(
        filters,
        kernel_size=5,
        strides=2,
        padding="same",
        output_padding=1 - side % 2,
        kernel_initializer=dcgan_init(),
        **options,
    )
