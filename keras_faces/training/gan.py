"""The step that trains every GAN of the course: first D, then G through the frozen D.

:class:`GAN` is a ``keras.Model``, so Keras's own ``fit``, progress bar, callbacks and saving work. Read
:meth:`GAN.step` first: it is the loop of the slide deck. :meth:`GAN.train_discriminator` shows D fakes with the label 0
and photographs with the label 1; :meth:`GAN.train_generator` asks the frozen D on G ("D_on_G") for the score 1.

A system with another rule has a subclass in its own file, which overrides these methods.
``docs/the-step.md`` lays the same step beside it in plain ``tf.GradientTape``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_faces.training import losses
from keras_faces.training.base import FaceModel
from keras_faces.training.gradients import frozen, input_gradients
from keras_faces.training.last_layer import up_to_the_sigmoid

CLIPPED_EPSILON = 1.001e-5  # of BatchNormalization in a clipped D; TensorFlow's fused operation takes no smaller one


@keras.saving.register_keras_serializable("keras_faces")
class GAN(FaceModel):
    """A generator G and a discriminator D, trained against each other.

    Parameters
    ----------
    generator : keras.Model
        From noise (batch, latent_dim) to images (batch, H, W, 3) in ``value_range``.
    discriminator : keras.Model
        From images (batch, H, W, 3) to one score (batch, 1) that a sigmoid makes, as in the deck, or to one logit.
    d_steps : int
        Steps of D before each step of G (k in Goodfellow et al. 2014, algorithm 1). Each takes photographs of its own:
        a step is given ``d_steps * batch`` images.
    separate_batches : bool
        ``False``: D reads fakes and photographs as one concatenated batch, as in the deck. ``True``: one after the
        other, so that BatchNormalization in D never mixes them (``docs/errata.md``, D6).
    label_smoothing : float
        In [0, 1). Photographs get the label ``1 - label_smoothing`` (one-sided; cross-entropies only).
    loss : str
        A pair of ``losses.PAIRS``: "non-saturating" (the deck's), "saturating", "lsgan", "wgan", "wgan-gp", "hinge".
    average, value_range, seed, name
        See :class:`FaceModel`.

    Raises
    ------
    ValueError
        For a value out of its range, an unknown ``loss``, and networks of two image sizes.
    """

    METRICS = ("d_loss", "g_loss", "d_real", "d_fake", "d_accuracy", "d_gradient", "g_gradient", "spread")
    holds_d = False  # whether D can be clipped and penalised, see RegularizedGAN

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        d_steps: int = 1,
        separate_batches: bool = False,
        label_smoothing: float = 0.0,
        loss: str = "non-saturating",
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
        pair = losses.pair(loss)
        if label_smoothing and not pair.probability:
            raise ValueError(f"label_smoothing={label_smoothing}: the loss {loss!r} has no labels; leave it out.")
        if (pair.clip or pair.gradient_penalty) and not self.holds_d:
            free = [name for name, other in losses.PAIRS.items() if not (other.clip or other.gradient_penalty)]
            raise ValueError(f"loss={loss!r} needs a clipped or penalised D; here choose from {', '.join(free)}.")
        made, read = generator.output_shape[1:], discriminator.inputs[0].shape[1:]
        if made != read:
            raise ValueError(
                f"the generator makes {made}, the discriminator reads {read}: build both with the same image size."
            )
        self.discriminator = discriminator
        self.d_logits = up_to_the_sigmoid(discriminator)
        self.d_steps = d_steps
        self.separate_batches = separate_batches
        self.label_smoothing = label_smoothing
        self.loss_name = loss
        self.pair = pair

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer | None = None,
        g_optimizer: keras.optimizers.Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        """Give D and G an optimizer each.

        Parameters
        ----------
        d_optimizer, g_optimizer : keras.optimizers.Optimizer, optional
            By default Adam, learning rate 2e-4, beta_1 0.5 (Radford et al. 2016, section 4).
        kwargs
            Of :meth:`FaceModel.compile`: ``fast_layers``, ``jit_compile``, ``run_eagerly``, ``steps_per_execution``.
        """
        parts = {
            "discriminator": (d_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.discriminator),
            "generator": (g_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.generator),
        }
        self.set_optimizers(parts, **kwargs)

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """Make one iteration: D learns to tell fakes from photographs, then G learns to pass for one.

        Parameters
        ----------
        images : tensor of uint8, shape (d_steps * batch, H, W, 3)
            Photographs.

        Returns
        -------
        dict of scalar tensors
            ``d_loss``, ``g_loss``; ``d_real`` and ``d_fake``, the mean scores D(x) and D(G(z)) (probabilities for the
            cross-entropies, otherwise D's output); ``d_accuracy``, the share of images that D judges rightly;
            ``d_gradient``, ``g_gradient``, the lengths of the gradients; ``spread``, the deviation of the fakes within
            a batch divided by that of the photographs (near 0: all fakes are alike). D's values are from before its
            update.
        """
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            real = self.preprocess(images[k * batch : (k + 1) * batch])
            fake = ops.stop_gradient(self.generator(self.noise(batch), training=True))
            d_logs = self.train_discriminator(real, fake)

        g_logs = self.train_generator(self.noise(batch))

        return {**d_logs, **g_logs, "spread": self.spread(fake, real)}

    def train_discriminator(self, real: Any, fake: Any, *labels: Any) -> dict[str, Any]:
        """Update D once: photographs are to score 1, fakes 0.

        Parameters
        ----------
        real, fake : tensor, shape (batch, H, W, 3)
            Images in ``value_range``.
        labels : tensor, shape (batch, n)
            What D reads beside the images, if anything.

        Returns
        -------
        dict of scalar tensors
            D's part of the logs.
        """

        def d_loss():
            real_logits, fake_logits = self.discriminate(real, fake, *labels)
            loss = self.discriminator_loss(real_logits, fake_logits) + self.penalty(real, fake, *labels)
            return loss, (real_logits, fake_logits)

        loss, (real_logits, fake_logits), gradient = self.update_discriminator(d_loss)
        return {"d_loss": loss, **self.scores(real_logits, fake_logits), "d_gradient": gradient}

    def train_generator(self, noise: Any, *labels: Any) -> dict[str, Any]:
        """Update G once, through the frozen D: its images are to score 1 ("D_on_G").

        Parameters
        ----------
        noise : tensor, shape (batch, latent_dim)
            z.
        labels : tensor, shape (batch, n)
            What G and D read beside it, if anything.

        Returns
        -------
        dict of scalar tensors
            G's part of the logs.
        """

        def g_loss():
            fake = self.generator(_inputs(noise, labels), training=True)
            with frozen(self.discriminator):
                logits = self.d_logits(_inputs(fake, labels), training=True)
            return self.pair.generator(logits), None

        loss, _, gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "g_gradient": gradient}

    # ------------------------------------------------------------------------------- what the step is made of

    def discriminate(self, real: Any, fake: Any, *labels: Any) -> tuple[Any, Any]:
        """Return D's logits of photographs and of fakes, each (batch, 1); read as one batch or as two.

        Images with labels are always read as two.
        """
        if self.separate_batches or labels:
            fake_logits = self.d_logits(_inputs(fake, labels), training=True)
            return self.d_logits(_inputs(real, labels), training=True), fake_logits
        logits = self.d_logits(ops.concatenate([fake, real]), training=True)
        batch = ops.shape(fake)[0]
        return logits[batch:], logits[:batch]

    def discriminator_loss(self, real_logits: Any, fake_logits: Any) -> Any:
        """Return D's side of the pair of losses, a scalar."""
        if self.pair.probability:
            return self.pair.discriminator(real_logits, fake_logits, self.label_smoothing)
        return self.pair.discriminator(real_logits, fake_logits)

    def penalty(self, real: Any, fake: Any, *labels: Any) -> Any:
        """Return what is added to D's loss; nothing here, see :class:`RegularizedGAN`."""
        return 0.0

    def d_weights(self) -> list[keras.Variable]:
        """Return the weights that D's update moves."""
        return self.discriminator.trainable_variables

    def g_weights(self) -> list[keras.Variable]:
        """Return the weights that G's update moves."""
        return self.generator.trainable_variables

    def update_discriminator(self, d_loss: Callable) -> list[Any]:
        """Let D's optimizer make a step; ``d_loss()`` returns ``(loss, aux)``.

        Returns
        -------
        list
            ``[loss, aux, length of the gradient]``.
        """
        return self.update(d_loss, discriminator=self.d_weights())

    def update_generator(self, g_loss: Callable) -> list[Any]:
        """Let G's optimizer make a step, and the average of its weights follow; otherwise as for D."""
        result = self.update(g_loss, generator=self.g_weights())
        self.update_average()
        return result

    def scores(self, real_logits: Any, fake_logits: Any) -> dict[str, Any]:
        """Return ``d_real``, ``d_fake`` and ``d_accuracy``: D is right above 0 for real, below for fake.

        A critic (Wasserstein) has no zero: its threshold is the mean of both.
        """
        real, fake = ops.cast(real_logits, "float32"), ops.cast(fake_logits, "float32")
        middle = 0.5 * (ops.mean(real) + ops.mean(fake)) if self.pair.critic else 0.0
        right = 0.5 * (ops.mean(ops.cast(real > middle, "float32")) + ops.mean(ops.cast(fake < middle, "float32")))
        if self.pair.probability:
            real, fake = ops.sigmoid(real), ops.sigmoid(fake)
        return {"d_real": ops.mean(real), "d_fake": ops.mean(fake), "d_accuracy": right}

    def spread(self, fake: Any, real: Any) -> Any:
        """Return the mean deviation of the pixels over the fakes, divided by that over the photographs."""
        return ops.mean(ops.std(fake, axis=0)) / (ops.mean(ops.std(real, axis=0)) + 1e-6)

    def get_compile_config(self) -> dict[str, Any]:
        return self.optimizer_configs(d_optimizer="discriminator", g_optimizer="generator")


@keras.saving.register_keras_serializable("keras_faces")
class RegularizedGAN(GAN):
    """A GAN whose D is held in check: clipped weights, a gradient penalty, R1.

    Parameters
    ----------
    generator, discriminator, options
        See :class:`GAN`.
    clip : float, optional
        Clip D's weights to ± this after each of its updates; ``None``: as the loss asks for ("wgan": 0.01). D's
        BatchNormalization then adds 1e-5 to a variance, see ``models/gans/wgan.py``.
    gradient_penalty : float, optional
        Weight of the penalty on D's gradient between photographs and fakes; ``None``: as the loss asks for
        ("wgan-gp": 10).
    r1 : float
        Weight γ of the penalty on D's gradient at photographs; 0 for none, 1 to 10 is usual.
    """

    holds_d = True

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        clip: float | None = None,
        gradient_penalty: float | None = None,
        r1: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, **options)
        self.clip = self.pair.clip if clip is None else clip
        self.gradient_penalty = self.pair.gradient_penalty if gradient_penalty is None else gradient_penalty
        self.r1 = r1
        if self.clip:
            _normalise_small_maps(discriminator)

    def penalty(self, real: Any, fake: Any, *labels: Any) -> Any:
        """Return the weighted gradient penalty and R1, a scalar."""
        return self.penalty_of(self.d_logits, real, fake, *labels)

    def penalty_of(self, network: keras.Model, real: Any, fake: Any, *labels: Any) -> Any:
        """Return the penalty on the gradients of ``network``, from images to logits."""
        total = 0.0
        if self.gradient_penalty:
            alpha = self.random(keras.random.uniform, ops.shape(real)[0], 1, 1, 1)  # a number for each image
            gradients = input_gradients(network, losses.between(real, fake, alpha), *labels)
            total = total + self.gradient_penalty * losses.gradient_penalty(gradients)
        if self.r1:
            total = total + self.r1 * losses.r1_penalty(input_gradients(network, real, *labels))
        return total

    def update_discriminator(self, d_loss: Callable) -> list[Any]:
        """Update D, then clip its weights where that is asked for."""
        result = super().update_discriminator(d_loss)
        if self.clip:
            for weight in self.d_weights():
                weight.assign(ops.clip(weight, -self.clip, self.clip))
        return result


def _inputs(first: Any, others: Any) -> Any:
    """What a network reads: one tensor, or a list of several."""
    return [first, *others] if others else first


def _normalise_small_maps(discriminator: keras.Model) -> None:
    """Clipped weights make maps whose variance is far below the 1e-3 that Keras adds to it: let 1e-5 be added."""
    for layer in discriminator._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.epsilon = min(layer.epsilon, CLIPPED_EPSILON)
