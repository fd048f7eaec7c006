"""What every system of the course has, whatever its networks and losses: ``fit``, images, a state to save.

A system is a ``keras.Model`` with a ``generator`` and one method of its own, ``step``: photographs in, one iteration of
training, logs out. This file is the rest, so that ``step`` reads like the lesson. ``step`` changes variables in place;
TensorFlow and PyTorch allow that in ``fit``, and :meth:`FaceModel.train_step` makes a pure function of it for JAX.

See also: ``gan.py``, the step of the GANs; ``sampling.py``, how images are made.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces.fast.autotune import default_compiler, keep_freed_memory
from keras_faces.fast.devices import per_replica_random
from keras_faces.fast.door import accelerate
from keras_faces.training import checkpoint
from keras_faces.training.ema import WeightAverage
from keras_faces.training.gradients import global_norm, value_and_grad
from keras_faces.training.last_layer import check_generator
from keras_faces.training.optimizers import MultiOptimizer
from keras_faces.training.sampling import batchnorm_statistics, generate, latent_noise

RENAMED = {"loss": "loss_name", "output": "output_name"}  # arguments whose names are attributes of Keras's own


class FaceModel(keras.Model):
    """A model that makes faces and that Keras's ``fit`` trains by its ``step``.

    A subclass has ``step(images)``, or ``step(images, labels)`` if it learns from labels: one iteration of training on
    photographs, uint8 (batch, H, W, 3). It returns the logs that ``METRICS`` names. It keeps every argument of its
    constructor as an attribute of the same name, so that :meth:`get_config` finds it.

    Parameters
    ----------
    generator : keras.Model
        From noise (batch, latent_dim), and what else it may read, to images (batch, H, W, 3) in ``value_range``.
    average : float
        Sample from an exponential moving average of G's weights with this decay, such as 0.999; 0 for G as it is.
    value_range : tuple of float
        The range of the generator's last activation: (-1, 1) for tanh, (0, 1) for sigmoid.
    seed : int
        Seed of the training noise. Its state is part of the model and of its checkpoints.
    name : str, optional
        Of the model.
    """

    METRICS: tuple[str, ...] = ()  # in the order of the log
    d_steps = 1  # how many batches of photographs a step is given
    learns_from_score = True  # False for a G that learns even from a D that is always right

    def __init__(
        self,
        generator: keras.Model,
        *,
        average: float = 0.0,
        value_range: tuple[float, float] = (-1.0, 1.0),
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        check_generator(generator, value_range)
        super().__init__(name=name)
        self.generator = generator
        self.latent_dim = int(generator.inputs[0].shape[-1])
        self.average = WeightAverage(generator, average) if average else None
        self.value_range = tuple(value_range)
        self.seed = seed
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.means = [keras.metrics.Mean(name=name) for name in self.METRICS]
        self.built = True

    # ---------------------------------------------------------------------------------------- inside a step

    def noise(self, batch: int) -> Any:
        """Return fresh standard normal noise z, (batch, latent_dim)."""
        return self.random(keras.random.normal, batch, self.latent_dim)

    def random(self, distribution: Callable, batch: int, *shape: int) -> Any:
        """Return fresh numbers of ``keras.random.normal`` or ``uniform``, (batch, *shape)."""
        return per_replica_random(lambda count: distribution((count, *shape), seed=self.noise_seed), batch)

    def preprocess(self, images: Any) -> Any:
        """Scale photographs, uint8 0..255, to ``value_range``, float32."""
        low, high = self.value_range
        return ops.cast(images, "float32") * ((high - low) / 255.0) + low

    def check_images(self, images: Any) -> None:
        """Stop, when a step is traced, at images that are not uint8 or not of the generator's size."""
        dtype, found = keras.backend.standardize_dtype(images.dtype), tuple(images.shape[1:])
        size = tuple(self.generator.output_shape[1:3])
        if len(self.generator.output_shape) != 4:
            return  # points, not images
        if dtype != "uint8":
            raise ValueError(
                f"photographs must be uint8 from 0 to 255, and these are {dtype}: the model scales them itself. "
                'Leave out a division by 255, or turn them back: (255 * images).astype("uint8").'
            )
        if found != (*size, 3):
            raise ValueError(
                f"photographs of shape {found} do not fit networks for {(*size, 3)}: load them with "
                f"kf.data.load(..., image_size={size[0]}), or build the system for their size."
            )

    def update(self, loss_fn: Callable[[], tuple[Any, Any]], **weights: Sequence[keras.Variable]) -> list[Any]:
        """Differentiate a loss and let optimizers move the weights that are named here; nothing else learns.

        Parameters
        ----------
        loss_fn : callable
            Returns ``(loss, aux)``, see :func:`gradients.value_and_grad`.
        weights : sequence of keras.Variable
            ``name=weights`` for each optimizer that is to make a step, such as ``discriminator=...``.

        Returns
        -------
        list
            ``loss``, ``aux``, and for each name the length of its gradient.
        """
        optimizers = [getattr(self.optimizer, name) for name in weights]
        every = [weight for part in weights.values() for weight in part]
        (loss, aux), gradients = value_and_grad(loss_fn, every, self.variables, optimizers[-1])
        lengths = []
        for optimizer, part in zip(optimizers, weights.values(), strict=True):
            of_part, gradients = gradients[: len(part)], gradients[len(part) :]
            optimizer.apply(of_part, part)
            lengths.append(global_norm(of_part))
        return [loss, aux, *lengths]

    def update_average(self) -> None:
        """Move the average of G's weights, where there is one."""
        if self.average:
            self.average.update(self.generator)

    # ---------------------------------------------------------------------------------- under Keras's `fit`

    def compile(self, *args: Any, fast_layers: bool = True, **kwargs: Any) -> None:
        """Call Keras's own ``compile``, then ``keras_faces.fast.accelerate``.

        Parameters
        ----------
        fast_layers : bool
            ``False`` leaves every layer as Keras computes it.
        args, kwargs
            As of ``keras.Model.compile``. ``jit_compile`` is by default what is faster here (``fast/autotune.py``).
        """
        if keras.backend.backend() == "tensorflow":
            kwargs.setdefault("jit_compile", False if default_compiler() == "graph" else "auto")
        kwargs.setdefault("auto_scale_loss", False)  # each optimizer has a loss scale of its own, see `optimizers.py`
        super().compile(*args, **kwargs)
        if fast_layers:
            accelerate(self)

    def set_optimizers(self, parts: dict[str, tuple[keras.optimizers.Optimizer, Any]], **kwargs: Any) -> None:
        """Compile with an optimizer for each network.

        Parameters
        ----------
        parts : dict
            Name to ``(optimizer, network)``, or to ``(optimizer, list of weights)``.
        kwargs
            Of :meth:`FaceModel.compile`.
        """
        optimizer = MultiOptimizer(**{name: part for name, (part, _) in parts.items()})
        owners = [parts[part][1] for part in optimizer.names]
        optimizer.build(*(getattr(owner, "trainable_variables", owner) for owner in owners))
        FaceModel.compile(self, optimizer=optimizer, **kwargs)

    def fit(self, *args: Any, callbacks: Any = None, **kwargs: Any) -> keras.callbacks.History:
        """Keras's own ``fit``; what changes with the iterations (:meth:`on_iteration`) changes under way."""
        keep_freed_memory()
        return super().fit(*args, callbacks=[ScheduleCallback(), *(callbacks or [])], **kwargs)

    def batches(self, faces: Any, batch_size: int, seed: int = 0, part: tuple[int, int] = (0, 1)) -> Any:
        """Return what a run trains on, ``Faces.batches``; a system may want other batches."""
        return faces.batches(batch_size, seed=seed, part=part)

    def watchers(self, folder: Any, progress: Any, every: int | None) -> list[keras.callbacks.Callback]:
        """Return callbacks that a run folder has beside the usual ones: images that only this system makes."""
        return []

    def on_iteration(self, iteration: int) -> bool:
        """Prepare an iteration, counted from 0; return True if the step must be traced anew."""
        return hasattr(self.optimizer, "on_iteration") and self.optimizer.on_iteration(iteration)

    def step_count(self) -> int:
        """Return how many steps have been made since training began."""
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
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        self.check_images(images)
        logs = self._step_on(images, labels)
        for mean in self.means:
            mean.update_state(logs[mean.name])
        return logs  # this iteration's; Keras takes the epoch's means from `metrics`

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        return self.step(images)  # labels that the data have are of no use here

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The epoch's means of what :meth:`step` returns."""
        return self.means

    def __repr__(self) -> str:
        """The system, its networks with their numbers of weights, and how long it has been trained."""
        networks = {name: getattr(self, name, None) for name in ("generator", "discriminator", "encoder")}
        sizes = [f"{name} {network.count_params():,}" for name, network in networks.items() if network is not None]
        height, width = self.generator.output_shape[1:3]
        return (
            f"<{self.name.replace('_', '-')}: {height}×{width}; weights: {', '.join(sizes)}; "
            f"{self.step_count() if self.compiled else 0:,} steps>"
        )

    def call(self, noise: Any, training: bool = False) -> Any:
        """Return the generator's images, in ``value_range``."""
        return self.generator(noise, training=training)

    # ---------------------------------------------------------------------------------------------- images

    def sample(self, count: int, seed: int = 0, truncation: float | None = None) -> np.ndarray:
        """Generate faces.

        The same seed gives the same noise, whatever the backend and the count. BatchNormalization uses statistics
        measured for the present weights (``sampling.py``), so that a face does not depend on the others.

        Parameters
        ----------
        count : int
            How many.
        seed : int
            Of the noise.
        truncation : float, optional
            Draw components of the noise beyond this many standard deviations again; ``None`` for no limit.

        Returns
        -------
        ndarray of uint8, shape (count, H, W, 3)
            RGB.
        """
        return self.render(latent_noise(count, self.latent_dim, seed, truncation))

    def render(self, noise: np.ndarray) -> np.ndarray:
        """Generate faces of the given noise (count, latent_dim): uint8 (count, H, W, 3)."""
        self.synchronise()
        return generate(self.generator, noise, self.sampling_state(), self.value_range)

    def sampling_state(self) -> list[tuple[keras.Variable, Any]]:
        """Return what replaces G's present state in images: averaged weights, measured statistics."""
        averages = self.average.pairs(self.generator) if self.average else []
        return averages + batchnorm_statistics(self.generator, self.typical_inputs(256), averages)

    def typical_inputs(self, count: int) -> Any:
        """Return what G reads in training, for ``count`` images: its statistics are measured with it."""
        return latent_noise(count, self.latent_dim, seed=20_14)

    def synchronise(self) -> None:
        """Write JAX's training state back into the variables; on the other backends it is always there."""
        checkpoint.synchronise(self)

    # ---------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor, networks serialised."""
        config = {}
        for name in _arguments(type(self)):
            value = getattr(self, RENAMED.get(name, name))
            if name == "average":
                value = self.average.decay if self.average else 0.0
            config[name] = keras.saving.serialize_keras_object(value) if isinstance(value, keras.Layer) else value
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> FaceModel:
        """Make the model again from :meth:`get_config`; arguments that only older versions had are ignored."""
        arguments = {}
        for name in config.keys() & set(_arguments(cls)):
            value = config[name]
            if isinstance(value, dict) and "class_name" in value:
                value = keras.saving.deserialize_keras_object(value, custom_objects)
            arguments[name] = value
        return cls(**arguments)

    def optimizer_configs(self, **names: str) -> dict[str, Any]:
        """Return ``{argument of compile: configuration of the optimizer of that name}``."""
        serialize = keras.saving.serialize_keras_object
        return {argument: serialize(getattr(self.optimizer, name)) for argument, name in names.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the optimizers of ``get_compile_config``."""
        self.compile(**{key: keras.saving.deserialize_keras_object(value) for key, value in config.items()})


class ScheduleCallback(keras.callbacks.Callback):
    """Tells the model each iteration's number; where that changes the step, it is traced anew."""

    def on_train_begin(self, logs=None):
        self.iteration = self.model.step_count()

    def on_train_batch_begin(self, batch, logs=None):
        self.first = batch
        if self.model.on_iteration(self.iteration):
            self.model.make_train_function(force=True)

    def on_train_batch_end(self, batch, logs=None):
        self.iteration += batch - self.first + 1  # more than 1 with several steps a call


def _arguments(cls: type) -> list[str]:
    """The names of a class's constructor arguments, those that it hands to its bases included."""
    names: list[str] = []
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        names += [each.name for each in parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
        if not any(each.kind is each.VAR_KEYWORD for each in parameters):
            break
    return list(dict.fromkeys(names))
