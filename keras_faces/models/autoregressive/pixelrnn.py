"""pixelrnn: a face pixel by pixel, each given those before it, by an LSTM that goes down the rows.

Source: dissertation, section 2.1.4, after van den Oord et al. 2016, "Pixel Recurrent Neural Networks", section 3.1 (Row
LSTM), 3.3 (residual connections) and table 1 (the layers): one convolution with mask A, a few Row LSTMs
(``layers/row_lstm.py``), two convolutions of 1×1 with mask B. The LSTM's memory of the rows above has no fixed height,
unlike a convolution's; but it reads rows one after the other in training too, where ``pixelcnn.py`` reads all at once.

See also: ``base.py``, training and sampling.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.masked_conv import MaskedConv2D
from keras_faces.layers.row_lstm import RowLSTM
from keras_faces.models import check_image_size
from keras_faces.models.autoregressive.base import AutoregressiveModel, output_stages
from keras_faces.models.autoregressive.pixel_likelihood import output as distribution

IMAGE_SIZE = 32


def network(image_size: int = IMAGE_SIZE, width: int = 36, depth: int = 2, levels: Any = None) -> keras.Model:
    """Return the network, from an image (S, S, 3) in [-1, 1] to parameters (S, S, n, 3). Shapes: 32×32.

    Parameters
    ----------
    image_size : int
        S, the side of the image.
    width : int
        Channels of the maps, a multiple of 3.
    depth : int
        Row LSTMs.
    levels : Softmax or LogisticMixture, optional
        The distribution of a colour, with n parameters; ``None`` for a mixture of five.
    """
    image = layers.Input((image_size, image_size, 3))
    maps = MaskedConv2D(width, 7, "A", name="first")(image)  # 32, 32, 36
    for index in range(depth):
        hidden = RowLSTM(width, name=f"lstm_{index}")(maps)  # 32, 32, 36
        maps = layers.Add()([maps, MaskedConv2D(width, 1, "B", name=f"out_{index}")(hidden)])
    return output_stages(image, maps, width, levels or distribution("mixture"))  # 32, 32, 15, 3


@keras.saving.register_keras_serializable("keras_faces")
class PixelRNN(AutoregressiveModel):
    """The LSTMs in parts; the state is four rows of pixels, and h and c of one row of each LSTM.

    Parameters, and what the methods read and return: see :class:`AutoregressiveModel`.
    """

    @property
    def lstms(self) -> list[tuple[RowLSTM, MaskedConv2D]]:
        """Each LSTM with the convolution behind it."""
        found = [layer for layer in self.generator.layers if isinstance(layer, RowLSTM)]
        return [(lstm, self.generator.get_layer(f"out_{index}")) for index, lstm in enumerate(found)]

    def start(self, batch: int) -> Any:
        """Return zeros for the rows of pixels and the memory, and a 0: no row has been read."""
        _, width, _ = self.image_shape
        memory = [[ops.zeros((batch, width, lstm.filters), lstm.compute_dtype)] * 2 for lstm, _ in self.lstms]
        return ops.zeros((batch, 4, width, 3)), ops.zeros(()), memory

    def next_row(self, state: Any, above: Any) -> tuple[Any, list[Any]]:
        """Let the LSTMs read the row above, and compute what the next row's gates take from it."""
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
        return (pixels, ops.ones(()), after), features  # above the first row the memory is zeros

    def first_left(self, batch: int) -> list[Any]:
        """Return zeros for each LSTM's input at the left margin."""
        return [ops.zeros((batch, lstm.filters), lstm.compute_dtype) for lstm, _ in self.lstms]

    def pixel(self, left: list[Any], here: list[Any], pixels: Any) -> tuple[Any, list[Any]]:
        """Compute all layers at one pixel."""
        maps = self.generator.get_layer("first").pixel(pixels) + here[0]
        after = []
        for (lstm, out), before, from_above, cell in zip(self.lstms, left, here[1:-1:2], here[2:-1:2], strict=True):
            after.append(maps)
            gates = lstm.input_to_state.pixel(ops.stack([before, maps], axis=1)) + from_above
            hidden, _ = lstm.next_state(gates, cell)
            maps = maps + out.pixel(hidden[:, None])
        return self.output_pixel(maps, pixels, here[-1]), after


def build(
    image_size: int = IMAGE_SIZE,
    width: int = 36,
    depth: int = 2,
    output: str = "mixture",
    components: int = 5,
    learning_rate: float = 6e-3,
    average: float = 0.99,
    latent_dim: int | None = None,
    seed: int = 0,
) -> PixelRNN:
    """Return PixelRNN with Row LSTMs, compiled.

    Parameters
    ----------
    width : int
        Channels of the maps and of each LSTM, a multiple of 3. The paper has 128.
    depth : int
        Row LSTMs; the paper has 12.
    image_size, output, components, learning_rate, average, latent_dim
        As of :func:`keras_faces.models.autoregressive.pixelcnn.build`, and so are the errors.
    """
    check_image_size("pixelrnn", image_size, multiple=1, smallest=8)
    generator = network(image_size, width, depth, distribution(output, components))
    model = PixelRNN(generator, output=output, components=components, average=average, seed=seed, name="pixelrnn")
    model.compile(keras.optimizers.Adam(learning_rate))
    return model
