"""The ladder of sizes between a small map and an image: one stride of 2 a rung, at every image size.

A convolution with stride 2 and "same" padding halves a side and rounds up: 125 → 63 → 32 → 16 → 8 → 4. A transposed
convolution goes back up, and has two ways to do it: from 63 to 126, or, with one pixel less of padding, to 125. So a
generator that climbs its discriminator's ladder backwards makes every size exactly.
"""

from __future__ import annotations

from typing import Any

from keras import initializers

from keras_faces.layers.convolution import Conv2D, Conv2DTranspose


def sides(image_size: int) -> list[int]:
    """The sides from the image down to a map of at most 4: ``sides(125) == [125, 63, 32, 16, 8, 4]``."""
    ladder = [image_size]
    while ladder[-1] > 4:
        ladder.append((ladder[-1] + 1) // 2)
    return ladder


def channels(image_size: int, width: int, most: int = 8) -> list[int]:
    """Channels of the maps below the image: ``width`` of the largest, then twice as many, up to ``most * width``.

    ``channels(64, 32) == [32, 64, 128, 256]`` for the sides 32, 16, 8 and 4.
    """
    return [width * min(most, 2**rung) for rung in range(len(sides(image_size)) - 1)]


def normal() -> Any:
    """The initial weights of Radford et al. 2016, section 4: normal, standard deviation 0.02."""
    return initializers.RandomNormal(stddev=0.02)


def down(filters: int, **options: Any) -> Conv2D:
    """A 5×5 convolution with stride 2: a side n becomes ⌈n / 2⌉."""
    return Conv2D(filters, kernel_size=5, strides=2, padding="same", kernel_initializer=normal(), **options)


def up(filters: int, side: int, **options: Any) -> Conv2DTranspose:
    """A transposed 5×5 convolution with stride 2 to a map of this ``side``, from one of ⌈side / 2⌉."""
    return Conv2DTranspose(
        filters,
        kernel_size=5,
        strides=2,
        padding="same",
        output_padding=1 - side % 2,
        kernel_initializer=normal(),
        **options,
    )
