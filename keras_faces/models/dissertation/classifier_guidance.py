"""A conditional GAN with a classifier C beside D: G learns from C's features as well. The base of fm-cgan and cvae-gan.

Source: the dissertation, sections 3.2.3 and 4.2. C sorts photographs into their classes by a softmax. f_C is "the input
of C's last dense layer", or several layers together; G is to make faces with the same f_C.

The text trains C first, algorithms 3.1 and 4.1 update it in every iteration (errata S9). Here C learns alone in the
first ``classifier_first`` iterations, or begins with the weights of a run of `keras-faces classify`; afterwards it goes
on learning beside the others, on photographs only, unless ``classifier_learns`` is false.

f_C is computed in inference mode, so that BatchNormalization treats photographs and fakes alike. f_D is computed in
training mode, each batch normalised by itself: with D's moving averages G made no face in 160 iterations at 32×32.

See also: ``fm_cgan.py`` and ``cvae_gan.py``, the two steps; ``models/networks/classifier.py``, C.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops

from keras_faces.models.networks.classifier import features as features_of
from keras_faces.training.conditional import ConditionalGAN
from keras_faces.training.gan import GAN
from keras_faces.training.gradients import frozen

KNOWN = ("flatten", "features", "logits")  # layers of C that have a name of their own, beside pool1, pool2, ...
FIRST = 300  # default number of iterations of C alone, if it begins with random weights


class ClassifierGuidedGAN(ConditionalGAN):
    """A GAN whose G learns from D and from C.

    A subclass has ``step``, which begins with :meth:`classifier_step`, and ``train_generator``.

    Parameters
    ----------
    generator : keras.Model
        See :class:`ConditionalGAN`.
    discriminator : keras.Model
        From images to a logit, without labels; its last layer is dense, and reads f_D.
    classifier : keras.Model
        C, from images in [-1, 1] to one logit per class.
    classifier_layers : sequence of str
        Names of C's layers whose outputs are f_C.
    classifier_first : int
        Number of iterations, at the beginning, in which only C learns.
    classifier_learns : bool
        Whether C goes on learning afterwards.
    label_names, label_kind, d_steps, separate_batches, label_smoothing, average, value_range, seed, name
        See :class:`ConditionalGAN`; D keeps its cross-entropy.
    """

    learns_from_score = False  # but from D's features
    METRICS = (*ConditionalGAN.METRICS, "c_loss", "c_accuracy")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        classifier: keras.Model,
        *,
        classifier_layers: Sequence[str] = ("features",),
        classifier_first: int = FIRST,
        classifier_learns: bool = True,
        label_names: Sequence[str],
        label_kind: str = "classes",
        d_steps: int = 1,
        separate_batches: bool = False,
        label_smoothing: float = 0.0,
        average: float = 0.0,
        value_range: tuple[float, float] = (-1.0, 1.0),
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            generator,
            discriminator,
            label_names=label_names,
            label_kind=label_kind,
            d_steps=d_steps,
            separate_batches=separate_batches,
            label_smoothing=label_smoothing,
            average=average,
            value_range=value_range,
            seed=seed,
            name=name,
        )
        if classifier_first < 0:
            raise ValueError(f"classifier_first={classifier_first}: how many iterations C learns alone, 0 or more.")
        self.classifier = classifier
        self.classifier_layers = tuple(classifier_layers)
        self.classifier_first, self.classifier_learns = classifier_first, classifier_learns
        self.d_features = keras.Model(discriminator.inputs[0], discriminator.layers[-1].input, name="d_features")
        self.c_features = _features(classifier, self.classifier_layers)
        self.classifier_alone = classifier_first > 0

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, c_optimizer: Any = None, **kwargs: Any) -> None:
        """As :meth:`GAN.compile`, with a third optimizer for C; each by default :func:`adam`."""
        parts = {
            "discriminator": (d_optimizer or adam(), self.discriminator),
            "generator": (g_optimizer or adam(), self.generator),
            "classifier": (c_optimizer or adam(), self.classifier),
        }
        self.set_optimizers(parts, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        return {**super().get_compile_config(), **self.optimizer_configs(c_optimizer="classifier")}

    # ------------------------------------------------------------------------------------------ C first, then all

    def on_iteration(self, iteration: int) -> bool:
        """Let D and G learn from iteration ``classifier_first`` on; see :meth:`FaceModel.on_iteration`."""
        alone = iteration < self.classifier_first
        changed, self.classifier_alone = alone != self.classifier_alone, alone
        return super().on_iteration(iteration) or changed

    def step_count(self) -> int:
        """Return how many steps have been made since training began, those of C alone included."""
        c_steps = int(ops.convert_to_numpy(self.optimizer.classifier.iterations))
        return c_steps if self.classifier_learns else c_steps + self.optimizer.generator_iterations()

    def placeholder_logs(self) -> dict[str, Any]:
        """Return the logs of D and G while C learns alone: zeros, and a ``spread`` of 1."""
        return {**{name: ops.zeros(()) for name in self.METRICS}, "spread": ops.ones(())}

    # ------------------------------------------------------------------------------------------------- the step

    def classifier_step(self, images: Any, labels: Any) -> dict[str, Any]:
        """Make C's part of an iteration; parameters as of :meth:`ConditionalGAN.step`, with one-hot labels.

        Returns ``c_loss`` and ``c_accuracy``, scalars; C does not change where it no longer learns.
        """
        real, labels = self.preprocess(images), ops.cast(labels, "float32")
        if self.classifier_alone:
            self.remember(labels)
        if self.classifier_alone or self.classifier_learns:
            return self.train_classifier(real, labels)
        logits = self.classifier(real, training=False)
        return {"c_loss": cross_entropy(labels, logits), "c_accuracy": accuracy(labels, logits)}

    def train_classifier(self, real: Any, labels: Any) -> dict[str, Any]:
        """Update C once by L_C (eq. 3.11 and 4.4) on photographs (batch, H, W, 3) and their one-hot labels."""

        def c_loss():
            logits = self.classifier(real, training=True)
            return cross_entropy(labels, logits), logits

        loss, logits, _ = self.update(c_loss, classifier=self.classifier.trainable_variables)
        return {"c_loss": loss, "c_accuracy": accuracy(labels, logits)}

    def train_discriminator(self, real: Any, fake: Any, *labels: Any) -> dict[str, Any]:
        """Update D once by its cross-entropy, as :class:`GAN`; it reads no labels."""
        return GAN.train_discriminator(self, real, fake)

    def d_features_of(self, images: Any) -> Any:
        """Return f_D of images in [-1, 1], float32 (batch, n); D does not change."""
        with frozen(self.discriminator):
            return ops.cast(self.d_features(images, training=True), "float32")

    def c_features_of(self, images: Any) -> list[Any]:
        """Return f_C of images in [-1, 1]: one float32 tensor (batch, n) for each of ``classifier_layers``."""
        features = self.c_features(images, training=False)
        features = features if isinstance(features, (list, tuple)) else [features]
        return [ops.reshape(ops.cast(part, "float32"), (ops.shape(images)[0], -1)) for part in features]


def adam(learning_rate: float = 2e-4) -> keras.optimizers.Optimizer:
    """Return Adam as in sections 3.4.2 and 4.2.3: learning rate 2e-4, beta_1 0.5, beta_2 0.999."""
    return keras.optimizers.Adam(learning_rate, beta_1=0.5)


def cross_entropy(labels: Any, logits: Any) -> Any:
    """Return ``−mean log P(y|x)``, a scalar, for one-hot labels and logits (batch, K); eq. 3.11 and 4.4."""
    return ops.mean(ops.categorical_crossentropy(labels, ops.cast(logits, "float32"), from_logits=True))


def accuracy(labels: Any, logits: Any) -> Any:
    """Return the share of images whose largest logit is that of their class, a scalar."""
    return ops.mean(ops.cast(ops.argmax(labels, axis=-1) == ops.argmax(logits, axis=-1), "float32"))


def _features(classifier: keras.Model, names: Sequence[str]) -> keras.Model:
    """The model of these layers' outputs; an error names the layers that C has."""
    known = [layer.name for layer in classifier.layers if layer.name in KNOWN or layer.name.startswith("pool")]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"classifier_layers={tuple(names)}: C has no {', '.join(unknown)}; choose from {', '.join(known)}."
        )
    if not names or len(set(names)) < len(names):
        raise ValueError(f"classifier_layers={tuple(names)}: name one layer of C or more, each once.")
    return features_of(classifier, names)


def starting_classifier(
    image_size: int, label_names: Sequence[str], width: int, run: str | None = None
) -> keras.Sequential:
    """Return C of table 3.3, with random weights or with those of a run of `keras-faces classify`.

    Parameters
    ----------
    image_size : int
        Side of the images.
    label_names : sequence of str
        The classes, in the order of the logits.
    width : int
        Channels of the first layer, see :func:`keras_faces.models.networks.classifier.classifier`; a run has its own.
    run : str, optional
        The run's folder; ``None`` for random weights.

    Returns
    -------
    keras.Sequential
        From images (batch, H, W, 3) in [-1, 1] to one logit per class.

    Raises
    ------
    ValueError
        If there is no such folder, or its C is for another image size, other classes or another order of them.
    """
    from keras_faces.models.networks.classifier import classifier
    from keras_faces.models.networks.trained_classifier import load_network, read_config

    if run is None:
        return classifier(image_size, list(label_names), width)
    if not Path(run).exists():
        raise ValueError(
            f"classifier={run}: there is no such folder. Make it by `keras-faces classify --out {run}`. A run that is "
            'trained already holds C itself: set "classifier" to null in its config.json, and "classifier_width" to '
            "the width of that C."
        )
    found = read_config(run)
    theirs = found["image_size"], found["kind"], list(found["names"])
    ours = image_size, "classes", list(label_names)
    if theirs != ours:
        raise ValueError(
            f"classifier={run} was trained on {theirs[1]} {', '.join(theirs[2][:6])} at {theirs[0]}×{theirs[0]}, this "
            f"system on {ours[1]} {', '.join(ours[2][:6])} at {image_size}×{image_size}: train one with the same "
            "--labels, --data and --image-size."
        )
    network = classifier(image_size, found["names"], found["width"])
    network.set_weights(load_network(run).get_weights())
    return network
