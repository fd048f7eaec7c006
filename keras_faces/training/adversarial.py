"""The step that trains every GAN of the course: first D, then G through the frozen D.

:class:`AdversarialModel` is a ``keras.Model``, so Keras's own ``fit``, progress bar, callbacks and saving work. What it
adds is one method, :meth:`AdversarialModel.step`, in the words of the slide deck: the fakes of the present G and the
photographs are laid end to end with the labels 0 and 1, D learns them; then "D_on_G" is asked for the score 1 and G
learns, while D stands still: "you cannot change the teacher's marking standard".

``docs/the-step.md`` goes through it line by line and lays the same step beside it in plain ``tf.GradientTape``.

Read next: ``gradients.py`` for what the step is made of, ``models/slides_v1.py`` for two networks to train with it.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_faces import losses
from keras_faces.layers.pool_first import PoolFirstSequential
from keras_faces.training.adam import Adam
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import frozen, global_norm, input_gradients, value_and_grad
from keras_faces.training.optimizers import AdversarialOptimizer
from keras_faces.training.pullback import Pullback, value_and_slope, with_pullback

CLIPPED_EPSILON = 1.001e-5  # the smallest that TensorFlow's one operation takes


@keras.saving.register_keras_serializable("keras_faces")
class AdversarialModel(FaceModel):
    """A generator and a discriminator, trained against each other.

    Parameters
    ----------
    generator
        Model from noise (batch, latent_dim) to images (batch, H, W, 3) in ``value_range``.
    discriminator
        Model from images (batch, H, W, 3) to one score (batch, 1) whose last layer is ``Activation("sigmoid")``, as
        in the deck, or to one logit.
    d_steps
        How many steps D makes before each step of G (the k of Goodfellow's algorithm 1). Each takes photographs of
        its own: a step is given ``d_steps * batch`` images.
    separate_batches
        ``False`` is the deck's rule: D reads fakes and photographs as one concatenated batch. ``True`` shows it the
        two one after the other, so that BatchNormalization in D never mixes them (see ``docs/errata.md``, D6). For a
        D without BatchNormalization and Dropout, both are the same.
    shared_fakes
        ``True`` spends less: the fakes that D has just learned on are also G's lesson, so that G runs forward once an
        iteration less. Three things change. G's noise is the noise that D has just seen, and D's update, which happens
        between, has lowered just these scores a little: apart from that, G's gradient is in expectation the same. The
        statistics that G carries along (BatchNormalization, u of spectral normalisation) move ``d_steps`` times an
        iteration, not once more. And other noise is drawn, so the same seed gives other faces.
    label_smoothing
        One-sided: photographs get the label ``1 - label_smoothing``. For the cross-entropies only.
    loss
        A pair of ``losses.PAIRS``: "non-saturating" (the deck's), "saturating", "lsgan", "wgan", "wgan-gp", "hinge".
    clip
        Clip D's weights to ± this after each of its updates; ``None`` for what the pair asks for ("wgan": 0.01). D's
        BatchNormalization then adds 1e-5 to a variance, see ``models/wgan.py``.
    gradient_penalty
        Weight of the penalty on D's gradient between photographs and fakes; ``None`` for the pair's ("wgan-gp": 10).
    r1
        Weight γ of the penalty on D's gradient at photographs; 0 for none, 1 to 10 is usual.
    average
        Sample from an exponential moving average of G's weights with this decay, such as 0.999; 0 for G as it is.
    value_range
        The range of the generator's last activation: (-1, 1) for tanh, (0, 1) for sigmoid. Photographs, uint8 until
        here, are scaled to it inside the step.
    seed
        Seed of the training noise. Its state is part of the model and of its checkpoints.
    """

    NUMBERS = ("d_loss", "g_loss", "d_real", "d_fake", "d_accuracy", "d_gradient", "g_gradient", "spread")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        d_steps: int = 1,
        separate_batches: bool = False,
        shared_fakes: bool = False,
        label_smoothing: float = 0.0,
        loss: str = "non-saturating",
        clip: float | None = None,
        gradient_penalty: float | None = None,
        r1: float = 0.0,
        average: float = 0.0,
        value_range: tuple[float, float] = (-1.0, 1.0),
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(generator, average=average, value_range=value_range, seed=seed, name=name)
        if d_steps < 1:
            raise ValueError(f"d_steps={d_steps}: D must make at least one step before G makes one.")
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(f"label_smoothing={label_smoothing}: must be in [0, 1), 0.1 is usual.")
        common = AdversarialModel
        own = [rule for rule in ("step", "improve_generator") if getattr(type(self), rule) is not getattr(common, rule)]
        if shared_fakes and own:
            raise ValueError(f"shared_fakes=True: {type(self).__name__} has a {own[0]} of its own; leave it out.")
        pair = losses.pair(loss)
        if label_smoothing and not pair.probability:
            raise ValueError(f"label_smoothing={label_smoothing}: the loss {loss!r} has no labels; leave it out.")
        made, read = generator.output_shape[1:], discriminator.inputs[0].shape[1:]
        if made != read:
            raise ValueError(
                f"the generator makes {made}, the discriminator reads {read}: build both with the same image size."
            )
        self.discriminator = discriminator
        self.d_logits = up_to_the_sigmoid(discriminator)
        self.d_steps = d_steps
        self.separate_batches = separate_batches
        self.shared_fakes = shared_fakes
        self.label_smoothing = label_smoothing
        self.loss_name = loss
        self.pair = pair
        self.clip = pair.clip if clip is None else clip
        self.gradient_penalty = pair.gradient_penalty if gradient_penalty is None else gradient_penalty
        self.r1 = r1
        if self.clip:
            _normalise_small_maps(discriminator)

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer | None = None,
        g_optimizer: keras.optimizers.Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        """Give D and G an optimizer each; by default Adam, rate 2e-4, beta_1 0.5 (Radford et al. 2016, section 4).

        ``kwargs`` are those of ``keras.Model.compile``: ``jit_compile``, ``run_eagerly``, ``steps_per_execution``.
        """
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or Adam(2e-4, beta_1=0.5),
            generator=g_optimizer or Adam(2e-4, beta_1=0.5),
        )
        optimizer.build(self.discriminator.trainable_variables, self.generator.trainable_variables)
        super().compile(optimizer=optimizer, **kwargs)

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """One iteration: D learns to tell fakes from photographs, then G learns to pass for one.

        Parameters
        ----------
        images
            Photographs, uint8 (d_steps * batch, H, W, 3).

        Returns
        -------
        The numbers of this iteration, those of D from before its update:

        - ``d_loss`` and ``g_loss``, penalties included;
        - ``d_real`` and ``d_fake``, the mean scores D(x) and D(G(z)): probabilities for the cross-entropies, D's
          output as it is for the other losses;
        - ``d_accuracy``, the share of images that D judges rightly;
        - ``d_gradient`` and ``g_gradient``, the lengths of the gradients that D and G learn by;
        - ``spread``, how much the fakes of a batch differ from each other, as a share of how much the photographs do
          (near 0: all fakes alike).
        """
        if self.shared_fakes:
            return self.shared_step(images)
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            real = self.scaled(images[k * batch : (k + 1) * batch])
            fake = ops.stop_gradient(self.generator(self.noise(batch), training=True))
            d_numbers = self.improve_discriminator(real, fake)

        g_numbers = self.improve_generator(batch)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}

    def spread_of(self, fake: Any, real: Any) -> Any:
        """How much the fakes of a batch differ, as a share of how much the photographs do: standard deviations."""
        return ops.mean(ops.std(fake, axis=0)) / (ops.mean(ops.std(real, axis=0)) + 1e-6)

    def improve_discriminator(self, real: Any, fake: Any) -> dict[str, Any]:
        """One step of D on a batch of photographs and a batch of fakes, both scaled to ``value_range``."""
        share = self.share_of_photographs(ops.shape(real)[0])

        def d_loss():
            real_logits, fake_logits = self.judge(real, fake)
            loss = self.discriminator_loss(real_logits, fake_logits) + self.penalties(real, fake, share)
            return loss, (real_logits, fake_logits)

        weights = self.discriminator.trainable_variables
        (loss, logits), gradients = value_and_grad(d_loss, weights, self.variables, self.optimizer.discriminator)
        self.optimizer.discriminator.apply(gradients, weights)
        self.clip_weights()
        return {"d_loss": loss, **self.scores(*logits), "d_gradient": global_norm(gradients)}

    def share_of_photographs(self, batch: int) -> Any:
        """Where the gradient penalty looks, between each fake (0) and photograph (1): uniform, (batch, 1, 1, 1)."""
        return self.fresh(keras.random.uniform, batch, 1, 1, 1) if self.gradient_penalty else None

    def penalties(self, real: Any, fake: Any, share: Any, *others: Any) -> Any:
        """What ``gradient_penalty`` and ``r1`` add to D's loss; ``others`` is what D reads beside the images."""
        total = 0.0
        if self.gradient_penalty:
            gradients = input_gradients(self.d_logits, losses.between(real, fake, share), *others)
            total = total + self.gradient_penalty * losses.gradient_penalty(gradients)
        if self.r1:
            total = total + self.r1 * losses.r1_penalty(input_gradients(self.d_logits, real, *others))
        return total

    def clip_weights(self) -> None:
        """Bring D's weights back into ± ``clip``, where there is one."""
        if self.clip:
            for weight in self.discriminator.trainable_variables:
                weight.assign(ops.clip(weight, -self.clip, self.clip))

    def discriminator_loss(self, real_logits: Any, fake_logits: Any) -> Any:
        """D's side of the pair of losses; the cross-entropies know smoothed labels."""
        if self.pair.probability:
            return self.pair.discriminator(real_logits, fake_logits, self.label_smoothing)
        return self.pair.discriminator(real_logits, fake_logits)

    def judge(self, real: Any, fake: Any) -> tuple[Any, Any]:
        """D's logits of photographs and fakes: the fakes first, then the photographs, as one batch or as two."""
        if self.separate_batches:
            fake_logits = self.d_logits(fake, training=True)
            return self.d_logits(real, training=True), fake_logits
        logits = self.d_logits(ops.concatenate([fake, real]), training=True)
        batch = ops.shape(fake)[0]
        return logits[batch:], logits[:batch]

    def scores(self, real_logits: Any, fake_logits: Any) -> dict[str, Any]:
        """D(x), D(G(z)), and how often D is right: real above 0, fake below (a critic: above and below its mean)."""
        real, fake = ops.cast(real_logits, "float32"), ops.cast(fake_logits, "float32")
        middle = 0.5 * (ops.mean(real) + ops.mean(fake)) if self.pair.critic else 0.0
        right = 0.5 * (ops.mean(ops.cast(real > middle, "float32")) + ops.mean(ops.cast(fake < middle, "float32")))
        if self.pair.probability:
            real, fake = ops.sigmoid(real), ops.sigmoid(fake)
        return {"d_real": ops.mean(real), "d_fake": ops.mean(fake), "d_accuracy": right}

    def improve_generator(self, batch: int) -> dict[str, Any]:
        """One step of G on D_on_G: noise in, the frozen D's score out, and that is to be 1."""
        noise = self.noise(batch)

        def g_loss():
            fake = self.generator(noise, training=True)
            with frozen(self.discriminator):
                logits = self.d_logits(fake, training=True)
            return self.pair.generator(logits), None

        weights = self.generator.trainable_variables
        (loss, _), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return self.move_generator(loss, gradients)

    def move_generator(self, loss: Any, gradients: list[Any]) -> dict[str, Any]:
        """G's optimizer moves its weights, and their average follows."""
        self.optimizer.generator.apply(gradients, self.generator.trainable_variables)
        if self.average:
            self.average.update(self.generator)
        return {"g_loss": loss, "g_gradient": global_norm(gradients)}

    # --------------------------------------------------------------------- the step with the fakes made once

    def shared_step(self, images: Any) -> dict[str, Any]:
        """:meth:`step` with ``shared_fakes``: the last fakes that D learns on are G's lesson too."""
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            real = self.scaled(images[k * batch : (k + 1) * batch])
            fake, pullback = self.fakes(batch)
            d_numbers = self.improve_discriminator(real, fake)

        g_numbers = self.improve_generator_on(fake, pullback)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}

    def fakes(self, batch: int) -> tuple[Any, Pullback]:
        """Images of fresh noise, and the way back from their slope to the gradients of G's weights."""
        noise = self.noise(batch)
        fake, pullback = with_pullback(
            lambda: self.generator(noise, training=True),
            self.generator.trainable_variables,
            self.variables,
            self.optimizer.generator,
        )
        return ops.stop_gradient(fake), pullback

    def improve_generator_on(self, fake: Any, pullback: Pullback) -> dict[str, Any]:
        """One step of G by fakes that are there: the frozen D says how each pixel should change, G how it can."""

        def g_loss(images):
            with frozen(self.discriminator):
                logits = self.d_logits(images, training=True)
            return self.pair.generator(logits)

        loss, slope = value_and_slope(g_loss, fake, self.optimizer.generator)
        return self.move_generator(loss, pullback(slope))

    # ---------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            "generator": serialize(self.generator),
            "discriminator": serialize(self.discriminator),
            "d_steps": self.d_steps,
            "separate_batches": self.separate_batches,
            "shared_fakes": self.shared_fakes,
            "label_smoothing": self.label_smoothing,
            "loss": self.loss_name,
            "clip": self.clip,
            "gradient_penalty": self.gradient_penalty,
            "r1": self.r1,
            "average": self.average.decay if self.average else 0.0,
            "value_range": self.value_range,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> AdversarialModel:
        config = dict(config)
        for key in ("generator", "discriminator"):
            config[key] = keras.saving.deserialize_keras_object(config[key], custom_objects)
        return cls(**config)

    def get_compile_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            "d_optimizer": serialize(self.optimizer.discriminator),
            "g_optimizer": serialize(self.optimizer.generator),
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**{key: keras.saving.deserialize_keras_object(value) for key, value in config.items()})


def up_to_the_sigmoid(discriminator: keras.Model) -> keras.Model:
    """The same network, layers and weights shared, without a last ``Activation("sigmoid")``: images to logits."""
    last = discriminator.layers[-1]
    if isinstance(last, keras.layers.Activation) and last.activation is keras.activations.sigmoid:
        if isinstance(discriminator, PoolFirstSequential):
            return discriminator.without_last(name="d_logits")
        inputs = discriminator.inputs if len(discriminator.inputs) > 1 else discriminator.inputs[0]
        return keras.Model(inputs, last.input, name="d_logits")
    return discriminator


def _normalise_small_maps(discriminator: keras.Model) -> None:
    """Clipped weights make maps whose variance is far below the 1e-3 that Keras adds to it: let 1e-5 be added."""
    for layer in discriminator._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.epsilon = min(layer.epsilon, CLIPPED_EPSILON)
