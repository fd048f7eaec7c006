"""pixelcnn: a face pixel by pixel, each given all that come before it, by masked convolutions.

Source: dissertation, section 2.1.4 with eq. 2.3 and figure 2.4, after van den Oord et al. 2016, "Pixel Recurrent Neural
Networks"; the network is that of van den Oord et al. 2016b, "Conditional Image Generation with PixelCNN Decoders",
whose two gated stacks have no blind spot (``layers/gated_block.py``).

Pixels come row by row, from left to right, and within a pixel red, green, blue. Masked convolutions
(``layers/masked_conv.py``) let no output depend on itself or on what follows, so one pass gives the distributions of
all pixels. Training is quick, sampling is not. There is no pooling and no latent vector. The distribution of a colour
is a mixture of logistics, or the paper's softmax (``pixel_likelihood.py``).

See also: ``base.py``, training and sampling; ``pixelrnn.py``, an LSTM instead.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.gated_block import GatedBlock
from keras_faces.layers.masked_conv import MaskedConv2D
from keras_faces.models import check_image_size
from keras_faces.models.autoregressive.base import AutoregressiveModel, output_stages
from keras_faces.models.autoregressive.pixel_likelihood import output as distribution

IMAGE_SIZE = 32


def network(image_size: int = IMAGE_SIZE, width: int = 36, depth: int = 5, levels: Any = None) -> keras.Model:
    """Return the network, from an image (S, S, 3) in [-1, 1] to parameters (S, S, n, 3). Shapes: 32×32.

    Parameters
    ----------
    image_size : int
        S, the side of the image.
    width : int
        Channels of each stack, a multiple of 3.
    depth : int
        Gated blocks; each adds one column to the left and one row above to what a pixel depends on.
    levels : Softmax or LogisticMixture, optional
        The distribution of a colour, with n parameters; ``None`` for a mixture of five.
    """
    image = layers.Input((image_size, image_size, 3))
    vertical = MaskedConv2D(width, 7, "above", name="first_vertical")(image)  # 32, 32, 36: the rows above
    horizontal = MaskedConv2D(width, (1, 7), "A", name="first_horizontal")(image)  # 32, 32, 36: the pixels to the left
    for block in range(depth):
        vertical, horizontal = GatedBlock(width, name=f"block_{block}")([vertical, horizontal])  # 32, 32, 36 each
    return output_stages(image, horizontal, width, levels or distribution("mixture"))  # 32, 32, 15, 3


@keras.saving.register_keras_serializable("keras_faces")
class PixelCNN(AutoregressiveModel):
    """Both stacks in parts; the state is three rows of pixels and one row of each block's vertical stack.

    Parameters, and what the methods read and return: see :class:`AutoregressiveModel`.
    """

    @property
    def blocks(self) -> list[GatedBlock]:
        """The gated blocks, the first one first."""
        return [layer for layer in self.generator.layers if isinstance(layer, GatedBlock)]

    def start(self, batch: int) -> Any:
        """Return zeros for the rows of pixels and of the vertical stack."""
        _, width, _ = self.image_shape
        rows = [ops.zeros((batch, width, block.filters), block.compute_dtype) for block in self.blocks]
        return ops.zeros((batch, 3, width, 3)), rows

    def next_row(self, state: Any, above: Any) -> tuple[Any, list[Any]]:
        """Compute the vertical stack one row further down, and what the horizontal one reads of it in each block."""
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
        """Return zeros for each block's input at the left margin."""
        return [ops.zeros((batch, block.filters), block.compute_dtype) for block in self.blocks]

    def pixel(self, left: list[Any], here: list[Any], pixels: Any) -> tuple[Any, list[Any]]:
        """Compute the horizontal stack at one pixel."""
        horizontal = self.generator.get_layer("first_horizontal").pixel(pixels)
        after = []
        for block, before, linked in zip(self.blocks, left, here[:-1], strict=True):
            after.append(horizontal)
            horizontal = block.pixel(ops.stack([before, horizontal], axis=1), linked)
        return self.output_pixel(horizontal, pixels, here[-1]), after


def build(
    image_size: int = IMAGE_SIZE,
    width: int = 36,
    depth: int = 5,
    output: str = "mixture",
    components: int = 5,
    learning_rate: float = 6e-3,
    average: float = 0.99,
    latent_dim: int | None = None,
    seed: int = 0,
) -> PixelCNN:
    """Return PixelCNN, compiled.

    Parameters
    ----------
    image_size : int
        Any from 8 on; the time to sample a face grows with its square.
    width : int
        Channels of each stack, a multiple of 3. The paper has 128 and more.
    depth : int
        Gated blocks; the paper has 15.
    output, components : str, int
        "mixture" of so many logistic distributions, or "softmax".
    learning_rate : float
        Adam's.
    average : float
        Decay of the moving average of the weights that faces are sampled with; 0 for none.
    latent_dim
        Ignored: there is no latent vector, but lists of systems may be built with the same options.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, a ``width`` that is no multiple of 3, and an unknown ``output``.
    """
    check_image_size("pixelcnn", image_size, multiple=1, smallest=8)
    generator = network(image_size, width, depth, distribution(output, components))
    model = PixelCNN(generator, output=output, components=components, average=average, seed=seed, name="pixelcnn")
    model.compile(keras.optimizers.Adam(learning_rate))
    return model
