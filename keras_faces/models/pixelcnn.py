"""pixelcnn: a face painted pixel by pixel, each one given all that comes before it.

Source: dissertation, section 2.1.4 with eq. 2.3 and figure 2.4, after van den Oord et al. 2016 ("Pixel Recurrent Neural
Networks", its [16]); the network is that of van den Oord et al. 2016b ("Conditional Image Generation with PixelCNN
Decoders", its [42]), which closes the first one's blind spot by two stacks and has gates (``layers/gated_block.py``).

The order is row by row, from left to right, and within a pixel red, green, blue. Masked convolutions
(``layers/masked_conv.py``) let no output see itself or what follows. So one pass of the network tells of all pixels at
once what they may be, given those before: training is quick. Painting is not: one pixel after the other.

Of each colour the network says a mixture of logistic distributions (``output="mixture"``) or, as the paper has it, a
softmax over the 256 levels (``output="softmax"``), see ``training/levels.py``. Without pooling, as the dissertation
says, and without any latent vector: there is no z to walk through. Ours is one more convolution with mask A, straight
from the pixels to what is said: most of a pixel is in its neighbours, and a linear guess from them is learned at once.

Read next: ``training/autoregressive.py`` for the training and the painting; ``pixelrnn.py``, an LSTM in its place.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.gated_block import GatedBlock
from keras_faces.layers.ladder import normal
from keras_faces.layers.masked_conv import MaskedConv2D
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.autoregressive import AutoregressiveModel
from keras_faces.training.levels import output as output_named

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers


def network(image_size: int = IMAGE_SIZE, width: int = 36, depth: int = 5, levels: Any = None) -> keras.Model:
    """Image (image_size, image_size, 3) in [-1, 1] to what it says of each colour, (S, S, numbers, 3). Shapes: 32×32.

    Parameters
    ----------
    width
        Channels of each stack, a multiple of 3.
    depth
        Gated blocks; each widens what a pixel sees by one to the left, and one more row above.
    levels
        What it says of a colour, see ``training/levels.py``; ``None`` for a mixture.
    """
    levels = levels or output_named("mixture")
    image = layers.Input((image_size, image_size, 3))
    vertical = MaskedConv2D(width, 7, "above", name="first_vertical")(image)  # 32, 32, 36: knows the rows above
    horizontal = MaskedConv2D(width, (1, 7), "A", name="first_horizontal")(image)  # 32, 32, 36: knows what is left
    for block in range(depth):
        vertical, horizontal = GatedBlock(width, name=f"block_{block}")([vertical, horizontal])  # 32, 32, 36 each
    maps = layers.ReLU()(horizontal)
    maps = MaskedConv2D(2 * width, 1, "B", name="head")(maps)  # 32, 32, 72
    maps = layers.ReLU()(maps)
    said_of_a_pixel = 3 * levels.numbers  # 45
    maps = MaskedConv2D(said_of_a_pixel, 1, "B", kernel_initializer=normal(), dtype="float32", name="says")(maps)
    straight = MaskedConv2D(said_of_a_pixel, 7, "A", use_bias=False, dtype="float32", name="straight")(image)
    maps = layers.Add(dtype="float32")([maps, straight])  # a straight line from the pixels, and what corrects it
    said = layers.Reshape((image_size, image_size, levels.numbers, 3), dtype="float32")(maps)  # 32, 32, 15, 3
    painter = keras.Model(image, said, name="generator")
    painter.get_layer("straight").kernel.assign(levels.first_guess(7))
    return painter


@keras.saving.register_keras_serializable("keras_faces")
class PixelCNN(AutoregressiveModel):
    """How a picture under way is carried on: three rows of pixels, and of each block one row and one pixel."""

    @property
    def blocks(self) -> list[GatedBlock]:
        """The gated blocks, the first one first."""
        return [layer for layer in self.generator.layers if isinstance(layer, GatedBlock)]

    def start(self, batch: int) -> Any:
        """Before the first row: no pixels (zeros), and the vertical stack of a row that is not there."""
        _, width, _ = self.image_shape
        blocks = self.blocks
        rows = [ops.zeros((batch, width, block.filters), block.compute_dtype) for block in blocks]
        return ops.zeros((batch, 3, width, 3)), rows

    def next_row(self, state: Any, above: Any) -> tuple[Any, list[Any]]:
        """The vertical stack, one row further down; the horizontal one reads it through each block's link."""
        pixels, before = state
        pixels = ops.concatenate([pixels, above[:, None]], axis=1)[:, 1:]  # the three rows above
        first = self.generator.get_layer("first_vertical")
        vertical = first.plus_bias(first.row(pixels))
        features, after = [], []
        for block, row in zip(self.blocks, before, strict=True):
            after.append(vertical)
            vertical, linked = block.row(ops.stack([row, vertical], axis=1))
            features.append(linked)
        return (pixels, after), [*features, self.generator.get_layer("straight").row(pixels)]

    def first_left(self, batch: int) -> list[Any]:
        """Of each block's input, the pixel to the left of the first."""
        return [ops.zeros((batch, block.filters), block.compute_dtype) for block in self.blocks]

    def pixel(self, left: list[Any], here: list[Any], pixels: Any) -> tuple[Any, list[Any]]:
        """The horizontal stack at one pixel."""
        horizontal = self.generator.get_layer("first_horizontal").pixel(pixels)
        after = []
        for block, before, linked in zip(self.blocks, left, here[:-1], strict=True):
            after.append(horizontal)
            horizontal = block.pixel(ops.stack([before, horizontal], axis=1), linked)
        maps = self.generator.get_layer("head").pixel(ops.relu(horizontal)[:, None])
        said = self.generator.get_layer("says").pixel(ops.relu(maps)[:, None])
        said = said + self.generator.get_layer("straight").pixel(pixels) + here[-1]
        return ops.reshape(said, (-1, self.levels.numbers, 3)), after


def build(
    image_size: int = IMAGE_SIZE,
    width: int = 36,
    depth: int = 5,
    output: str = "mixture",
    components: int = 5,
    rate: float = 6e-3,
    average: float = 0.99,
    latent_dim: int | None = None,
    seed: int = 0,
) -> PixelCNN:
    """PixelCNN, compiled.

    Parameters
    ----------
    image_size
        Any from 8 on; time to paint a face grows with its square.
    width
        Channels of each stack, a multiple of 3. The paper has 128 and more.
    depth
        Gated blocks; the paper has 15.
    output, components
        "mixture" of so many logistic distributions, or "softmax".
    rate
        Adam's learning rate.
    average
        Decay of the moving average of the weights that faces are painted with; 0 for none.
    latent_dim
        There is no latent vector; ignored, so that lists of systems may be built with the same options.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, a ``width`` that three colours cannot share, and an unknown ``output``.
    """
    check_image_size("pixelcnn", image_size, multiple=1, smallest=8)
    model = PixelCNN(
        network(image_size, width, depth, output_named(output, components)),
        output=output,
        components=components,
        average=average,
        seed=seed,
        name="pixelcnn",
    )
    model.compile(Adam(rate))
    return model
