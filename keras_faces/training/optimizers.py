"""Optimizers: one object for several networks, stages, float16's loss scale, Adam for weights that begin late.

Keras gives a model one optimizer; :class:`MultiOptimizer` holds one for each network, so that ``compile``, ``fit``,
saving and resuming know all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class MultiOptimizer(keras.optimizers.Optimizer):
    """An optimizer for each network; its ``variables`` are those of all.

    One Adam for two networks would mix their step counts, and saving would lose an optimizer that the model does not
    hold.

    Parameters
    ----------
    discriminator, generator, others : keras.optimizers.Optimizer, optional
        Not shared with another network or model. Each becomes an attribute of its name: ``optimizer.encoder``.
    name : str
        Of this object.

    Raises
    ------
    ValueError
        If two networks share an optimizer.
    """

    def __init__(
        self,
        discriminator: keras.optimizers.Optimizer | None = None,
        generator: keras.optimizers.Optimizer | None = None,
        name: str = "adversarial_optimizer",
        **others: keras.optimizers.Optimizer,
    ) -> None:
        super().__init__(learning_rate=0.0, name=name)  # its own learning rate is never used
        parts = {"discriminator": discriminator, "generator": generator, **others}
        parts = {key: part for key, part in parts.items() if part is not None}
        if len({id(part) for part in parts.values()}) < len(parts):
            raise ValueError(
                "each network needs an optimizer of its own: one Adam for two would count every step twice."
            )
        self.names = list(parts)
        for key, part in parts.items():
            setattr(self, key, with_loss_scale(part))

    @property
    def parts(self) -> list[keras.optimizers.Optimizer]:
        """The optimizers, D's first."""
        return [getattr(self, key) for key in self.names]

    def build(self, *variables: Sequence[keras.Variable]) -> None:
        """Make each optimizer's slots (Adam's moments) for the weights that it will change."""
        for part, weights in zip(self.parts, variables, strict=True):
            part.build(list(weights))
        self.built = True

    def on_iteration(self, iteration: int) -> bool:
        """Choose the stage of optimizers that have stages; return True if one of them changes."""
        return any(
            [inner(part).on_iteration(iteration) for part in self.parts if isinstance(inner(part), StagedOptimizer)]
        )

    def generator_iterations(self) -> int:
        """Return how many steps G has made since training began, in all stages."""
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
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> MultiOptimizer:
        name = config.pop("name")
        load = keras.saving.deserialize_keras_object
        return cls(**{key: load(part, custom_objects) for key, part in config.items()}, name=name)


# --------------------------------------------------------------------------------------------------------------- stages


_OPTIMIZERS = {
    "adam": lambda rate: keras.optimizers.Adam(rate, beta_1=0.5),
    "rmsprop": lambda rate: keras.optimizers.RMSprop(rate),
    "sgd": lambda rate: keras.optimizers.SGD(rate),
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.5),
}


@dataclass(frozen=True)
class Stage:
    """An optimizer's name ("adam", "rmsprop", "sgd", "momentum"), learning rate and iterations (None: to the end)."""

    optimizer: str
    rate: float
    iterations: int | None = None


def parse_stages(text: str) -> list[Stage]:
    """Read stages, such as ``"rmsprop:2e-4:300,adam:2e-4"``: 300 iterations of RMSprop, then Adam to the end.

    The LFW paper announces multi-stage optimizers (section 2.2.3) and leaves the section empty. Here a stage is an
    optimizer, a learning rate and a number of iterations; the next one starts with moments of zero.

    Parameters
    ----------
    text : str
        ``OPTIMIZER:LEARNING_RATE:ITERATIONS``, joined by commas; the last without iterations.

    Returns
    -------
    list of Stage
        In their order.

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
    """One optimizer per stage; :meth:`on_iteration` chooses. All are built at once and saved in checkpoints.

    Parameters
    ----------
    stages : sequence of Stage or dict
        As :func:`parse_stages` gives them.
    name : str
        Of this object.
    """

    def __init__(self, stages: Sequence[Stage | dict], name: str = "staged_optimizer") -> None:
        super().__init__(learning_rate=0.0, name=name)  # its own learning rate is never used
        self.stages = [stage if isinstance(stage, Stage) else Stage(**stage) for stage in stages]
        self.optimizers = [_OPTIMIZERS[stage.optimizer](stage.rate) for stage in self.stages]
        self.stage = 0

    def on_iteration(self, iteration: int) -> bool:
        """Choose the stage for an iteration, counted from 0; return True if it changes."""
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


# -------------------------------------------------------------------------------------------------------------- float16


@keras.saving.register_keras_serializable("keras_faces")
class LossScale(keras.optimizers.LossScaleOptimizer):
    """Keras's ``LossScaleOptimizer`` for gradients that ``value_and_grad`` has divided already.

    float16 has no numbers between 0 and 6e-8, and most gradients of a GAN's first layers lie there. So the loss is
    multiplied by a scale before it is differentiated, and the gradients are divided by it. The scale is halved after a
    step whose gradients are not finite, which is skipped, and doubled after 2000 good ones (Micikevicius et al. 2018,
    section 3.2). bfloat16 has float32's range and needs none of this.

    So a step can measure and clip gradients as if there were no scale. It skips by choosing between old and new values,
    which both backends compile alike; Keras's own form branches, and JAX forbids a branch to assign variables.
    """

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """One step of the inner optimizer, or none if a gradient is not finite. Step counts go on in both cases."""
        finite = self.check_finite(grads)
        weights = list(trainable_variables or self._trainable_variables)
        moments = [variable for variable in self.inner_optimizer.variables if "float" in variable.dtype]
        before = [ops.copy(variable.value) for variable in weights + moments]
        self.inner_optimizer.apply(grads, weights)
        for variable, value in zip(weights + moments, before, strict=True):
            variable.assign(ops.where(finite, variable.value, value))
        self._follow(finite)

    def _follow(self, finite: Any) -> None:
        """The scale after a step: halved, doubled, or as it is."""
        good = ops.where(finite, self.step_counter + 1, 0)
        grown = good >= self.dynamic_growth_steps
        factor = ops.where(finite, ops.where(grown, 2.0, 1.0), 0.5)
        self.dynamic_scale.assign(self.dynamic_scale * ops.cast(factor, self.dynamic_scale.dtype))
        self.step_counter.assign(ops.where(grown, 0, good))


def with_loss_scale(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer with a loss scale, if networks are being built in float16; else as it is."""
    wanted = keras.config.dtype_policy().compute_dtype == "float16"
    return LossScale(optimizer) if wanted and not isinstance(optimizer, LossScale) else optimizer


def inner(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer inside a loss scale, or the optimizer itself."""
    return optimizer.inner_optimizer if isinstance(optimizer, LossScale) else optimizer


# --------------------------------------------------------------------------------------------------------- late weights


@keras.saving.register_keras_serializable("keras_faces")
class PerVariableAdam(keras.optimizers.Adam):
    """Adam that counts the steps of each weight by itself, for weights that begin to learn late.

    Adam's moments start at zero, so it divides them by ``1 - βᵗ``, t counting all steps (Kingma and Ba 2015,
    algorithm 1). For a block that joins at step 500 this correction is long over, and with β₂ 0.99 its first steps are
    1 / √(1 - β₂) = 10 times too long. Here t counts the weight's own steps. For weights that all learn from the first
    step on, the updates are Keras's.
    """

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the moments, and a count of steps for each weight."""
        super().build(variables)
        self.steps = [self.add_variable(shape=(), name=f"steps_{index}") for index in range(len(variables))]

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Adam's step with this weight's count in the place of the common one."""
        steps = self.steps[self._get_variable_index(variable)]
        steps.assign(steps + 1.0)
        common = ops.cast(self.iterations + 1, "float32")
        correction = self._correction(steps) / self._correction(common)
        self.adam_step(gradient, variable, learning_rate * correction)

    def adam_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Adam's own step; ``keras_faces.fast`` has a faster form of it."""
        super().update_step(gradient, variable, learning_rate)

    def _correction(self, steps: Any) -> Any:
        return ops.sqrt(1.0 - ops.power(self.beta_2, steps)) / (1.0 - ops.power(self.beta_1, steps))
