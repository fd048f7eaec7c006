"""What every system of the course has, whatever its networks and losses: ``fit``, pictures, a state to save.

A system is a ``keras.Model`` with a ``generator`` and one method of its own, ``step``: photographs in, one iteration of
training, numbers out. This file is the rest, so that ``step`` can be read like the lesson:

- ``step`` is written once, in the words of the lesson, and changes variables in place. TensorFlow and PyTorch let
  Keras's ``fit`` do so; JAX wants a pure function, which :meth:`FaceModel.train_step` makes of it.
- pictures come from noise that a seed decides, with G's averaged weights and measured statistics (``sampling.py``).

Read next: ``adversarial.py``, the step of the GANs; ``conditional.py``, of those that are told which face to make.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces.training import checkpoint
from keras_faces.training.average import WeightAverage
from keras_faces.training.choices import default_compiler, keep_freed_memory
from keras_faces.training.devices import own_part
from keras_faces.training.sampling import batchnorm_statistics, generate, latent_noise


class FaceModel(keras.Model):
    """A model that makes faces and that Keras's ``fit`` trains by its ``step``.

    A system has ``step(images)``, or ``step(images, labels)`` if it learns from labels: one iteration of training on
    photographs, uint8 (batch, H, W, 3), which returns the numbers that ``NUMBERS`` names.

    Parameters
    ----------
    generator
        Model from noise (batch, latent_dim), and what else it may read, to images (batch, H, W, 3) in ``value_range``.
    average
        Sample from an exponential moving average of G's weights with this decay, such as 0.999; 0 for G as it is.
    value_range
        The range of the generator's last activation: (-1, 1) for tanh, (0, 1) for sigmoid.
    seed
        Seed of the training noise. Its state is part of the model and of its checkpoints.
    """

    NUMBERS: tuple[str, ...] = ()  # in the order of the log
    d_steps = 1  # how many batches of photographs a step is given
    learns_from_score = True  # whether G follows D's score, and so learns nothing from a D that is certain

    def __init__(
        self,
        generator: keras.Model,
        *,
        average: float = 0.0,
        value_range: tuple[float, float] = (-1.0, 1.0),
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.generator = generator
        self.latent_dim = int(generator.inputs[0].shape[-1])
        self.average = WeightAverage(generator, average) if average else None
        self.value_range = tuple(value_range)
        self.seed = seed
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.means = [keras.metrics.Mean(name=name) for name in self.NUMBERS]
        self.built = True

    def noise(self, batch: int) -> Any:
        """Fresh noise, (batch, latent_dim), standard normal."""
        return self.fresh(keras.random.normal, batch, self.latent_dim)

    def fresh(self, distribution: Any, batch: int, *shape: int) -> Any:
        """Fresh random numbers of ``keras.random.normal`` or ``uniform``, (batch, *shape)."""
        return own_part(lambda count: distribution((count, *shape), seed=self.noise_seed), batch)

    def scaled(self, images: Any) -> Any:
        """Photographs, uint8 0..255, in the range of the generator's last activation."""
        low, high = self.value_range
        return ops.cast(images, "float32") * ((high - low) / 255.0) + low

    # ---------------------------------------------------------------------------------- under Keras's `fit`

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Keras's own ``compile``. ``jit_compile`` is by default what is faster here, see ``choices.py``."""
        if keras.backend.backend() == "tensorflow":
            kwargs.setdefault("jit_compile", False if default_compiler() == "graph" else "auto")
        kwargs.setdefault("auto_scale_loss", False)  # each network has a loss scale of its own, see `loss_scale.py`
        super().compile(*args, **kwargs)

    def fit(self, *args: Any, callbacks: Any = None, **kwargs: Any) -> keras.callbacks.History:
        """Keras's own ``fit``. What changes with the iterations (see :meth:`enter`) changes under way."""
        keep_freed_memory()
        return super().fit(*args, callbacks=[Phases(), *(callbacks or [])], **kwargs)

    def batches(self, faces: Any, batch_size: int, seed: int = 0, part: tuple[int, int] = (0, 1)) -> Any:
        """What a run trains on: batches of ``faces``, see ``Faces.batches``; a system may want others."""
        return faces.batches(batch_size, seed=seed, part=part)

    def watchers(self, folder: Any, progress: Any, every: int | None) -> list[keras.callbacks.Callback]:
        """Callbacks that a run folder has beside the usual ones: pictures that only this system makes."""
        return []

    def enter(self, iteration: int) -> bool:
        """Make ready for an iteration, counted from 0 since training began; True if the step is now another one."""
        return hasattr(self.optimizer, "enter") and self.optimizer.enter(iteration)

    def iterations(self) -> int:
        """How many steps have been made since training began."""
        if hasattr(self.optimizer, "generator_iterations"):
            return self.optimizer.generator_iterations()
        return int(ops.convert_to_numpy(self.optimizer.iterations))

    def train_step(self, *args: Any) -> Any:
        """Keras's hook: ``train_step(data)``, and on JAX ``train_step(state, data)``, which must be pure."""
        if keras.backend.backend() != "jax":
            return self._imperative_step(*args)
        state, data = args
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        mapping = [
            pair for group, values in zip(groups, state, strict=True) for pair in zip(group, values, strict=True)
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            logs = self._imperative_step(data)
        return logs, tuple([scope.get_current_value(variable) for variable in group] for group in groups)

    def _imperative_step(self, data: Any) -> dict[str, Any]:
        logs = self._step_on(*keras.utils.unpack_x_y_sample_weight(data)[:2])
        for mean in self.means:
            mean.update_state(logs[mean.name])
        return logs  # this iteration's numbers; Keras takes the epoch's means from `metrics`

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        return self.step(images)  # labels that the data have are of no use here

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The epoch's means of what :meth:`step` returns."""
        return self.means

    def call(self, noise: Any, training: bool = False) -> Any:
        """The generator's images, in ``value_range``."""
        return self.generator(noise, training=training)

    # -------------------------------------------------------------------------------------------- pictures

    def sample(self, count: int, seed: int = 0, truncation: float | None = None) -> np.ndarray:
        """Generated faces, uint8 (count, H, W, 3).

        The same seed gives the same noise, whatever the backend and the count. BatchNormalization uses statistics
        measured for the present weights (see ``sampling.py``), so that a face does not depend on the others.

        Parameters
        ----------
        truncation
            Draw components of the noise beyond this many standard deviations again; ``None`` for no limit.
        """
        return self.render(latent_noise(count, self.latent_dim, seed, truncation))

    def render(self, noise: np.ndarray) -> np.ndarray:
        """Faces of the given noise (count, latent_dim): uint8 (count, H, W, 3)."""
        self.synchronise()
        return generate(self.generator, noise, self.sampling_state(), self.value_range)

    def sampling_state(self) -> list[tuple[keras.Variable, Any]]:
        """What pictures are made with instead of G's present state: averaged weights, measured statistics."""
        averages = self.average.pairs(self.generator) if self.average else []
        return averages + batchnorm_statistics(self.generator, self.typical_inputs(256), averages)

    def typical_inputs(self, count: int) -> Any:
        """What G reads in training, for ``count`` images: the statistics of its layers are measured with it."""
        return latent_noise(count, self.latent_dim, seed=20_14)

    def synchronise(self) -> None:
        """Write JAX's training state back into the variables; on the other backends it is always there."""
        checkpoint.synchronise(self)


class Phases(keras.callbacks.Callback):
    """Tells the model before each iteration which one it is; if that makes its step another one, it is traced anew."""

    def on_train_begin(self, logs=None):
        self.iteration = self.model.iterations()

    def on_train_batch_begin(self, batch, logs=None):
        self.first = batch
        if self.model.enter(self.iteration):
            self.model.make_train_function(force=True)

    def on_train_batch_end(self, batch, logs=None):
        self.iteration += batch - self.first + 1  # more than 1 with several steps a call
