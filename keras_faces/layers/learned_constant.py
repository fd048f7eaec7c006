"""A learned map that every image starts from, the only input at the bottom of StyleGAN's generator.

Source: Karras et al. 2019, section 2: "the network starts from a learned constant 4×4×512 tensor", initialised to 1
(appendix C). Images differ by the styles and the noise that come in later.

See also: ``models/gans/stylegan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class LearnedConstant(keras.layers.Layer):
    """The same learned map for every image: anything (batch, ...) to (batch, side, side, filters), all 1 at first.

    Parameters
    ----------
    side, filters : int
        Side and channels of the map.
    """

    def __init__(self, side: int, filters: int, **options: Any) -> None:
        super().__init__(**options)
        self.side, self.filters = side, filters

    def build(self, input_shape):
        self.map = self.add_weight(shape=(1, self.side, self.side, self.filters), initializer="ones", name="map")

    def call(self, styles):
        return ops.repeat(self.map, ops.shape(styles)[0], axis=0)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.side, self.side, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "side": self.side, "filters": self.filters}
