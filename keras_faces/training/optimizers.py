"""Several optimizers in one object, so that ``compile``, ``fit``, saving and resuming know all."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from keras_faces.training.loss_scale import inner, scaled
from keras_faces.training.stages import StagedOptimizer


@keras.saving.register_keras_serializable("keras_faces")
class AdversarialOptimizer(keras.optimizers.Optimizer):
    """The discriminator's and the generator's optimizer, and those of what other networks a system has.

    Keras gives a model one optimizer. A GAN has two, and an Adam shared between them would mix their step counts; two
    loose ones would be forgotten by saving and resuming. So this object holds them: its ``variables`` are the union.

    Parameters
    ----------
    discriminator, generator, others
        Keras optimizers, not shared with any other model; None for a network that a system has not. Each is an
        attribute by its name: ``optimizer.encoder``.
    """

    def __init__(
        self,
        discriminator: keras.optimizers.Optimizer | None = None,
        generator: keras.optimizers.Optimizer | None = None,
        name: str = "adversarial_optimizer",
        **others: keras.optimizers.Optimizer,
    ) -> None:
        super().__init__(learning_rate=0.0, name=name)  # its own rate is never used, see `learning_rate`
        parts = {"discriminator": discriminator, "generator": generator, **others}
        parts = {key: part for key, part in parts.items() if part is not None}
        if len({id(part) for part in parts.values()}) < len(parts):
            raise ValueError(
                "each network needs an optimizer of its own: one Adam for two would count every step twice."
            )
        self.names = list(parts)
        for key, part in parts.items():
            setattr(self, key, scaled(part))

    @property
    def parts(self) -> list[keras.optimizers.Optimizer]:
        """The optimizers, D's first."""
        return [getattr(self, key) for key in self.names]

    def build(self, *variables: Sequence[keras.Variable]) -> None:
        """Make the slots (Adam's moments) of each optimizer for the weights that it will change, in their order."""
        for part, weights in zip(self.parts, variables, strict=True):
            part.build(list(weights))
        self.built = True

    def enter(self, iteration: int) -> bool:
        """Choose the stage of optimizers that have stages (``stages.py``); True if one of them changes."""
        return any([inner(part).enter(iteration) for part in self.parts if isinstance(inner(part), StagedOptimizer)])

    def generator_iterations(self) -> int:
        """How many steps G has made since training began."""
        parts = getattr(inner(self.generator), "optimizers", [self.generator])
        return sum(int(keras.ops.convert_to_numpy(part.iterations)) for part in parts)

    @property
    def variables(self) -> list[keras.Variable]:
        """All state: step counts, learning rates and moments, D's first."""
        return [variable for part in self.parts for variable in part.variables]

    @property
    def iterations(self):
        """How many steps G has made."""
        return self.generator.iterations

    @property
    def learning_rate(self):
        """G's learning rate (what Keras's callbacks show)."""
        return self.generator.learning_rate

    @learning_rate.setter
    def learning_rate(self, value) -> None:
        self.generator.learning_rate = value

    def save_own_variables(self, store) -> None:
        """Nothing of its own: Keras saves the optimizers, which it finds as attributes."""

    def load_own_variables(self, store) -> None:
        """Nothing of its own: Keras loads the optimizers, which it finds as attributes."""

    def get_config(self) -> dict:
        serialize = keras.saving.serialize_keras_object
        return {**{key: serialize(part) for key, part in zip(self.names, self.parts, strict=True)}, "name": self.name}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> AdversarialOptimizer:
        name = config.pop("name")
        load = keras.saving.deserialize_keras_object
        return cls(**{key: load(part, custom_objects) for key, part in config.items()}, name=name)
