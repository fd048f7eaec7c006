"""pixelrnn: a face painted pixel by pixel by an LSTM that goes down the rows. A small one.

Source: dissertation, section 2.1.4, after van den Oord et al. 2016, "Pixel Recurrent Neural Networks", section 3.1 (Row
LSTM), 3.3 (residual connections) and table 1 (the layers). One convolution with mask A, a few Row LSTMs
(``layers/row_lstm.py``), two convolutions of 1×1 with mask B. What the LSTM remembers of the rows above has no fixed
height, unlike a convolution's; but its rows come one after the other in training too, where ``pixelcnn.py`` does all at
once. That is why the same authors went from the one to the other.

Read next: ``training/autoregressive.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.ladder import normal
from keras_faces.layers.masked_conv import MaskedConv2D
from keras_faces.layers.row_lstm import RowLSTM
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.autoregressive import AutoregressiveModel
from keras_faces.training.levels import output as output_named

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers


def network(image_size: int = IMAGE_SIZE, width: int = 36, depth: int = 2, levels: Any = None) -> keras.Model:
    """Image (image_size, image_size, 3) in [-1, 1] to what it says of each colour, (S, S, numbers, 3). Shapes: 32×32.

    Parameters
    ----------
    width
        Channels of the maps, a multiple of 3.
    depth
        Row LSTMs.
    levels
        What it says of a colour, see ``training/levels.py``; ``None`` for a mixture.
    """
    levels = levels or output_named("mixture")
    image = layers.Input((image_size, image_size, 3))
    maps = MaskedConv2D(width, 7, "A", name="first")(image)  # 32, 32, 36
    for number in range(depth):
        hidden = RowLSTM(width, name=f"lstm_{number}")(maps)  # 32, 32, 36
        maps = layers.Add()([maps, MaskedConv2D(width, 1, "B", name=f"out_{number}")(hidden)])
    maps = layers.ReLU()(maps)
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
class PixelRNN(AutoregressiveModel):
    """How a picture under way is carried on: three rows of pixels, and of each LSTM the h and c of one row."""

    @property
    def lstms(self) -> list[tuple[RowLSTM, MaskedConv2D]]:
        """Each LSTM with the convolution behind it."""
        found = [layer for layer in self.generator.layers if isinstance(layer, RowLSTM)]
        return [(lstm, self.generator.get_layer(f"out_{number}")) for number, lstm in enumerate(found)]

    def start(self, batch: int) -> Any:
        """Before the first row: no pixels (zeros), and no memory."""
        _, width, _ = self.image_shape
        memory = [[ops.zeros((batch, width, lstm.filters), lstm.compute_dtype)] * 2 for lstm, _ in self.lstms]
        return ops.zeros((batch, 4, width, 3)), ops.zeros(()), memory

    def next_row(self, state: Any, above: Any) -> tuple[Any, list[Any]]:
        """The LSTMs go over the row above, which is whole now; then what the next row's gates take from it."""
        pixels, begun, memory = state
        pixels = ops.concatenate([pixels, above[:, None]], axis=1)[:, 1:]  # the four rows above
        first = self.generator.get_layer("first")
        maps = first(pixels)[:, -1]  # batch, W, filters: of the last of them
        after = []
        for (lstm, out), (hidden, cell) in zip(self.lstms, memory, strict=True):
            gates = lstm.input_to_state(maps[:, None])[:, 0] + lstm.state_to_state(hidden)
            hidden, cell = (part * ops.cast(begun, part.dtype) for part in lstm.next_state(gates, cell))
            after.append([hidden, cell])
            maps = maps + out(hidden[:, None])[:, 0]
        features = [first.row(pixels[:, 1:])]
        for (lstm, _), (hidden, cell) in zip(self.lstms, after, strict=True):
            features += [lstm.state_to_state(hidden), cell]
        features.append(self.generator.get_layer("straight").row(pixels[:, 1:]))
        return (pixels, ops.ones(()), after), features  # above the first row there is none: its memory is zeros

    def first_left(self, batch: int) -> list[Any]:
        """Of each LSTM's input, the pixel to the left of the first."""
        return [ops.zeros((batch, lstm.filters), lstm.compute_dtype) for lstm, _ in self.lstms]

    def pixel(self, left: list[Any], here: list[Any], pixels: Any) -> tuple[Any, list[Any]]:
        """All layers at one pixel."""
        maps = self.generator.get_layer("first").pixel(pixels) + here[0]
        after = []
        for (lstm, out), before, from_above, cell in zip(self.lstms, left, here[1:-1:2], here[2:-1:2], strict=True):
            after.append(maps)
            gates = lstm.input_to_state.pixel(ops.stack([before, maps], axis=1)) + from_above
            hidden, _ = lstm.next_state(gates, cell)
            maps = maps + out.pixel(hidden[:, None])
        maps = self.generator.get_layer("head").pixel(ops.relu(maps)[:, None])
        said = self.generator.get_layer("says").pixel(ops.relu(maps)[:, None])
        said = said + self.generator.get_layer("straight").pixel(pixels) + here[-1]
        return ops.reshape(said, (-1, self.levels.numbers, 3)), after


def build(
    image_size: int = IMAGE_SIZE,
    width: int = 36,
    depth: int = 2,
    output: str = "mixture",
    components: int = 5,
    rate: float = 6e-3,
    average: float = 0.99,
    latent_dim: int | None = None,
    seed: int = 0,
) -> PixelRNN:
    """PixelRNN with Row LSTMs, compiled.

    Parameters
    ----------
    image_size
        Any from 8 on; time to paint a face grows with its square.
    width
        Channels of the maps and of each LSTM, a multiple of 3. The paper has 128.
    depth
        Row LSTMs; the paper has 12.
    output, components, rate, average, latent_dim
        As in ``pixelcnn.py``.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, a ``width`` that three colours cannot share, and an unknown ``output``.
    """
    check_image_size("pixelrnn", image_size, multiple=1, smallest=8)
    model = PixelRNN(
        network(image_size, width, depth, output_named(output, components)),
        output=output,
        components=components,
        average=average,
        seed=seed,
        name="pixelrnn",
    )
    model.compile(Adam(rate))
    return model
