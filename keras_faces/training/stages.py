"""Multi-stage optimizers: training begins with one optimizer, goes on with another, ends with a third.

The LFW paper announces them (section 2.2.3) and leaves the section empty. A stage here is an optimizer, a learning rate
and a number of iterations; at its end the next one takes over, with moments of its own that start at zero.

    keras-faces train conv --option stages=rmsprop:2e-4:300,adam:2e-4:600,adam:5e-5

All stages' optimizers are built at the start and are part of the checkpoint, so that a run can stop and resume in any
of them. Works with every system; ``models/multistage.py`` is the paper's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from keras_faces.training.adam import Adam

_OPTIMIZERS = {
    "adam": lambda rate: Adam(rate, beta_1=0.5),
    "rmsprop": lambda rate: keras.optimizers.RMSprop(rate),
    "sgd": lambda rate: keras.optimizers.SGD(rate),
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.5),
}


@dataclass(frozen=True)
class Stage:
    """An optimizer's name ("adam", "rmsprop", "sgd" or "momentum"), its rate, its iterations (None: to the end)."""

    optimizer: str
    rate: float
    iterations: int | None = None


def parse_stages(text: str) -> list[Stage]:
    """``"rmsprop:2e-4:300,adam:2e-4"``: 300 iterations of RMSprop, then Adam to the end.

    Raises
    ------
    ValueError
        For an unknown optimizer, a rate or length that is no positive number, and a last stage that has a length or an
        earlier one that has none.
    """
    words = [word.strip() for word in str(text).split(",")]
    stages = [_stage(word, text) for word in words]
    for word, stage in zip(words[:-1], stages[:-1], strict=True):
        if stage.iterations is None:
            raise ValueError(f"stages={text!r}: {word!r} has another stage after it; say for how many iterations.")
    if stages[-1].iterations is not None:
        raise ValueError(f"stages={text!r}: the last stage, {words[-1]!r}, goes on to the end; leave its length out.")
    return stages


def _stage(word: str, text: str) -> Stage:
    name, *numbers = word.split(":")
    if name not in _OPTIMIZERS:
        raise ValueError(f"stages={text!r}: {name!r} is no optimizer; choose from {', '.join(_OPTIMIZERS)}.")
    try:
        rate, iterations = float(numbers[0]), int(numbers[1]) if len(numbers) > 1 else None
    except (IndexError, ValueError):
        rate, iterations = 0.0, None
    if len(numbers) > 2 or not rate > 0 or (iterations is not None and iterations < 1):
        raise ValueError(f"stages={text!r}: {word!r} must be OPTIMIZER:RATE:ITERATIONS, such as adam:2e-4:500.")
    return Stage(name, rate, iterations)


@keras.saving.register_keras_serializable("keras_faces")
class StagedOptimizer(keras.optimizers.Optimizer):
    """One optimizer a stage; :meth:`enter` says which of them works.

    Parameters
    ----------
    stages
        What `parse_stages` gives.
    """

    def __init__(self, stages: Sequence[Stage | dict], name: str = "staged_optimizer") -> None:
        super().__init__(learning_rate=0.0, name=name)  # its own rate is never used, see `learning_rate`
        self.stages = [stage if isinstance(stage, Stage) else Stage(**stage) for stage in stages]
        self.optimizers = [_OPTIMIZERS[stage.optimizer](stage.rate) for stage in self.stages]
        self.stage = 0

    def enter(self, iteration: int) -> bool:
        """Choose the stage for an iteration, counted from 0; True if that is another one than before."""
        before, self.stage = self.stage, 0
        for stage in self.stages[:-1]:
            iteration -= stage.iterations
            if iteration < 0:
                break
            self.stage += 1
        return self.stage != before

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the slots of every stage's optimizer."""
        for optimizer in self.optimizers:
            optimizer.build(list(variables))
        self.built = True

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """One step of the present stage's optimizer."""
        self.optimizers[self.stage].apply(grads, trainable_variables)

    @property
    def variables(self) -> list[keras.Variable]:
        """All state of all stages."""
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def learning_rate(self):
        """The present stage's rate."""
        return self.optimizers[self.stage].learning_rate

    @learning_rate.setter
    def learning_rate(self, value) -> None:
        self.optimizers[self.stage].learning_rate = value

    def save_own_variables(self, store) -> None:
        """Nothing of its own: Keras saves the stages' optimizers, which it finds as attributes."""

    def load_own_variables(self, store) -> None:
        """Nothing of its own: Keras loads the stages' optimizers, which it finds as attributes."""

    def get_config(self) -> dict:
        return {"stages": [vars(stage) for stage in self.stages], "name": self.name}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> StagedOptimizer:
        return cls(**config)
