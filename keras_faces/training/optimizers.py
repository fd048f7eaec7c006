"""Two optimizers in one object, so that ``compile``, ``fit``, saving and resuming know both."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from keras_faces.training.stages import StagedOptimizer


@keras.saving.register_keras_serializable("keras_faces")
class AdversarialOptimizer(keras.optimizers.Optimizer):
    """The discriminator's and the generator's optimizer.

    Keras gives a model one optimizer. A GAN has two, and an Adam shared between them would mix their step counts; two
    loose ones would be forgotten by saving and resuming. So this object holds both: its ``variables`` are the union.

    Parameters
    ----------
    discriminator, generator
        Keras optimizers, not shared with any other model.
    """

    def __init__(
        self,
        discriminator: keras.optimizers.Optimizer,
        generator: keras.optimizers.Optimizer,
        name: str = "adversarial_optimizer",
    ) -> None:
        super().__init__(learning_rate=0.0, name=name)  # its own rate is never used, see `learning_rate`
        if discriminator is generator:
            raise ValueError("D and G need an optimizer each: one Adam for both would count every step twice.")
        self.discriminator = discriminator
        self.generator = generator

    def build(
        self, discriminator_variables: Sequence[keras.Variable], generator_variables: Sequence[keras.Variable]
    ) -> None:
        """Make the slots (Adam's moments) of both optimizers, each for the weights that it will change."""
        self.discriminator.build(list(discriminator_variables))
        self.generator.build(list(generator_variables))
        self.built = True

    def enter(self, iteration: int) -> bool:
        """Choose the stage of optimizers that have stages (``stages.py``); True if one of them changes."""
        staged = [half for half in (self.discriminator, self.generator) if isinstance(half, StagedOptimizer)]
        return any([half.enter(iteration) for half in staged])

    def generator_iterations(self) -> int:
        """How many steps G has made since training began."""
        parts = getattr(self.generator, "optimizers", [self.generator])
        return sum(int(keras.ops.convert_to_numpy(part.iterations)) for part in parts)

    @property
    def variables(self) -> list[keras.Variable]:
        """All state: step counts, learning rates and moments, D's first."""
        return self.discriminator.variables + self.generator.variables

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
        """Nothing of its own: Keras saves the two optimizers, which it finds as attributes."""

    def load_own_variables(self, store) -> None:
        """Nothing of its own: Keras loads the two optimizers, which it finds as attributes."""

    def get_config(self) -> dict:
        serialize = keras.saving.serialize_keras_object
        return {
            "discriminator": serialize(self.discriminator),
            "generator": serialize(self.generator),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> AdversarialOptimizer:
        halves = {
            key: keras.saving.deserialize_keras_object(config.pop(key), custom_objects)
            for key in ("discriminator", "generator")
        }
        return cls(**halves, **config)
