"""A conditional GAN with a teacher beside D: the classifier C, which G learns from as well.

Source: the dissertation, sections 3.2.3 and 4.2: C sorts photographs into their classes by a softmax (eq. 3.11), and G
is to make faces in which C *sees the same features*, not only gives the same answer. f_C is "the input of C's last
dense layer", or several layers together. What exactly is compared is where the two systems differ.

When C learns. The text trains C first; algorithms 3.1 and 4.1 update it in every iteration (errata S9). Here both hold:
in the first ``classifier_first`` iterations C learns alone, or it begins with the weights of a run of `keras-faces
classify`; afterwards it goes on learning beside the others, on photographs only, unless ``classifier_learns`` is false.

f_C is looked at in inference mode: BatchNormalization then treats photographs and fakes alike, by what C has seen of
photographs. f_D is looked at as D judges, in training mode, each batch normalised by itself. (By D's moving averages,
which mix both kinds, G learned patterns on which D had no hold: no face in 160 iterations at 32×32.)

Read next: ``models/fm_cgan.py`` (centres of classes), ``models/cvae_gan.py`` (pairs), ``models/classifier.py`` (C).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_faces import losses
from keras_faces.models.classifier import features as features_of
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.centres import Centres
from keras_faces.training.conditional import ConditionalModel
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import frozen, value_and_grad
from keras_faces.training.optimizers import AdversarialOptimizer

KNOWN = ("flatten", "features", "logits")  # layers of C that have a name of their own, beside pool1, pool2, ...
FIRST = 300  # iterations of C alone, if it begins with random weights and nobody says how many


class GuidedModel(ConditionalModel):
    """A GAN whose G learns from D and from C.

    A system has ``improve_discriminator`` and ``improve_generator`` as :class:`ConditionalModel` asks for them.

    Parameters
    ----------
    generator, discriminator
        See :class:`ConditionalModel`. D reads images only, and its last layer is dense: what it reads is f_D.
    classifier
        C, from images in [-1, 1] to a logit a class.
    classifier_layers
        Names of C's layers whose outputs are f_C.
    classifier_first
        In how many iterations, at the beginning, only C learns.
    classifier_learns
        Whether C goes on learning afterwards.
    rule
        See :class:`ConditionalModel`. Of the pair ``loss`` only D's side is used, so it must be a cross-entropy.
    """

    learns_from_score = False  # but from D's features
    CLASSIFIER_NUMBERS = ("c_loss", "c_accuracy")
    NUMBERS = (*ConditionalModel.NUMBERS, *CLASSIFIER_NUMBERS)

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        classifier: keras.Model,
        *,
        classifier_layers: Sequence[str] = ("features",),
        classifier_first: int = FIRST,
        classifier_learns: bool = True,
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, **rule)
        if not self.pair.probability:
            raise ValueError(f"loss={self.loss_name!r}: with feature matching D keeps its cross-entropy; leave it out.")
        if self.clip or self.gradient_penalty or self.r1:
            raise ValueError(f"{self.name} knows no gradient_penalty, clip or r1: D's BatchNormalization mixes images.")
        if classifier_first < 0:
            raise ValueError(f"classifier_first={classifier_first}: how many iterations C learns alone, 0 or more.")
        self.classifier = classifier
        self.classifier_layers = tuple(classifier_layers)
        self.classifier_first, self.classifier_learns = classifier_first, classifier_learns
        self.d_features = keras.Model(discriminator.inputs[0], discriminator.layers[-1].input, name="d_features")
        self.c_features = _features(classifier, self.classifier_layers)
        self.classifier_alone = classifier_first > 0

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, c_optimizer: Any = None, **kwargs: Any) -> None:
        """As :meth:`AdversarialModel.compile`, and an optimizer for C; each by default Adam, 2e-4, beta_1 0.5."""
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or adam(),
            generator=g_optimizer or adam(),
            classifier=c_optimizer or adam(),
        )
        optimizer.build(
            self.discriminator.trainable_variables,
            self.generator.trainable_variables,
            self.classifier.trainable_variables,
        )
        FaceModel.compile(self, optimizer=optimizer, **kwargs)

    # ------------------------------------------------------------------------------------------ C first, then all

    def enter(self, iteration: int) -> bool:
        """The hook of the core: after ``classifier_first`` iterations other networks learn, so the step is traced
        anew."""
        alone = iteration < self.classifier_first
        another, self.classifier_alone = alone != self.classifier_alone, alone
        return super().enter(iteration) or another

    def iterations(self) -> int:
        """How many steps have been made since training began; G's own count begins when it does."""
        c_steps = int(ops.convert_to_numpy(self.optimizer.classifier.iterations))
        return c_steps if self.classifier_learns else c_steps + self.optimizer.generator_iterations()

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """One iteration: C learns on photographs, then D and G as in :meth:`adversarial_step`.

        In the first iterations, when C is alone, the others' numbers are 0, and ``spread`` is 1.

        Parameters
        ----------
        images
            Photographs, uint8 (d_steps * batch, H, W, 3).
        labels
            Their classes, one-hot, (d_steps * batch, K).
        """
        real, wanted = self.scaled(images), ops.cast(labels, "float32")
        if not self.classifier_alone:
            c_numbers = self.improve_classifier(real, wanted) if self.classifier_learns else self.judged(real, wanted)
            return {**self.adversarial_step(images, labels), **c_numbers}
        self.remember(wanted)
        nothing = {name: ops.zeros(()) for name in self.NUMBERS}
        return {**nothing, "spread": ops.ones(()), **self.improve_classifier(real, wanted)}

    def adversarial_step(self, images: Any, labels: Any) -> dict[str, Any]:
        """D learns, then G: :meth:`ConditionalModel.step`."""
        return super().step(images, labels)

    def improve_classifier(self, real: Any, labels: Any) -> dict[str, Any]:
        """One step of C on photographs, the softmax loss of eq. 3.11 and 4.4; no other network changes."""

        def c_loss():
            logits = self.classifier(real, training=True)
            return cross_entropy(labels, logits), logits

        weights = self.classifier.trainable_variables
        (loss, logits), gradients = value_and_grad(c_loss, weights, self.variables, self.optimizer.classifier)
        self.optimizer.classifier.apply(gradients, weights)
        return {"c_loss": loss, "c_accuracy": accuracy(labels, logits)}

    def judged(self, real: Any, labels: Any) -> dict[str, Any]:
        """What C says of photographs; nothing changes."""
        logits = self.classifier(real, training=False)
        return {"c_loss": cross_entropy(labels, logits), "c_accuracy": accuracy(labels, logits)}

    def improve_discriminator(self, real: Any, fake: Any, labels: Any) -> dict[str, Any]:
        """One step of D, by cross-entropy; it reads no labels."""
        return AdversarialModel.improve_discriminator(self, real, fake)

    def seen_by_d(self, images: Any) -> Any:
        """f_D of images in [-1, 1], float32 (batch, n); nothing of D changes."""
        with frozen(self.discriminator):
            return ops.cast(self.d_features(images, training=True), "float32")

    def seen_by_c(self, images: Any) -> list[Any]:
        """f_C of images in [-1, 1]: for each of ``classifier_layers`` float32 (batch, n)."""
        seen = self.c_features(images, training=False)
        seen = seen if isinstance(seen, (list, tuple)) else [seen]
        return [ops.reshape(ops.cast(part, "float32"), (ops.shape(images)[0], -1)) for part in seen]

    # ----------------------------------------------------------------------------------- the centres of features

    def make_centres(self, decay: float) -> None:
        """Moving centres of photographs and of fakes: one in D, and in each layer of C one a class."""
        seen = math.prod(self.d_features.output_shape[1:])
        self.d_real, self.d_fake = Centres(seen, decay=decay, name="d_real"), Centres(seen, decay=decay, name="d_fake")
        sizes = [math.prod(output.shape[1:]) for output in self.c_features.outputs]
        classes = len(self.label_names)
        self.c_real = [Centres(size, classes, decay, name=f"c_real_{n}") for n, size in enumerate(sizes)]
        self.c_fake = [Centres(size, classes, decay, name=f"c_fake_{n}") for n, size in enumerate(sizes)]

    def see_photographs(self, real: Any, labels: Any) -> None:
        """The photographs' centres move to where D and C see them now (algorithm 3.1, lines 7 and 10)."""
        self.d_real.update(self.seen_by_d(real))
        for centres, seen in zip(self.c_real, self.seen_by_c(real), strict=True):
            centres.update(seen, labels)

    def centre_distances(self, fake: Any, labels: Any) -> tuple[Any, Any]:
        """The fakes' centres move by a batch; L_GD of eq. 3.10 and L_GC of eq. 3.12, summed over C's layers."""
        in_d = losses.centre_matching(self.d_real.means, self.d_fake.update(self.seen_by_d(fake)))
        in_c = 0.0
        for real, made, seen in zip(self.c_real, self.c_fake, self.seen_by_c(fake), strict=True):
            in_c = in_c + losses.centre_matching(real.means, made.update(seen, labels))
        return in_d, in_c

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "classifier": keras.saving.serialize_keras_object(self.classifier),
            "classifier_layers": self.classifier_layers,
            "classifier_first": self.classifier_first,
            "classifier_learns": self.classifier_learns,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> GuidedModel:
        classifier = keras.saving.deserialize_keras_object(config["classifier"], custom_objects)
        return super().from_config({**config, "classifier": classifier}, custom_objects)

    def get_compile_config(self) -> dict[str, Any]:
        c_optimizer = keras.saving.serialize_keras_object(self.optimizer.classifier)
        return {**super().get_compile_config(), "c_optimizer": c_optimizer}


def adam(rate: float = 2e-4) -> keras.optimizers.Optimizer:
    """Adam as in sections 3.4.2 and 4.2.3: rate 2e-4, beta_1 0.5, beta_2 0.999."""
    return Adam(rate, beta_1=0.5)


def cross_entropy(labels: Any, logits: Any) -> Any:
    """``−mean log P(y|x)`` of one-hot labels (batch, K), a scalar."""
    return ops.mean(ops.categorical_crossentropy(labels, ops.cast(logits, "float32"), from_logits=True))


def accuracy(labels: Any, logits: Any) -> Any:
    """Share of the images of which C is right, a scalar."""
    return ops.mean(ops.cast(ops.argmax(labels, axis=-1) == ops.argmax(logits, axis=-1), "float32"))


def _features(classifier: keras.Model, names: Sequence[str]) -> keras.Model:
    """The model of these layers' outputs; a wrong name is told with the right ones."""
    known = [layer.name for layer in classifier.layers if layer.name in KNOWN or layer.name.startswith("pool")]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"classifier_layers={tuple(names)}: C has no {', '.join(unknown)}; choose from {', '.join(known)}."
        )
    if not names or len(set(names)) < len(names):
        raise ValueError(f"classifier_layers={tuple(names)}: name one layer of C or more, each once.")
    return features_of(classifier, names)


# ------------------------------------------------------------------------------- C as a system begins with it


def starting_classifier(
    image_size: int, label_names: Sequence[str], width: int, run: str | None = None
) -> keras.Sequential:
    """C of table 3.3, with fresh weights or with those of a folder that `keras-faces classify` made.

    Parameters
    ----------
    image_size, label_names, width
        As of :func:`keras_faces.models.classifier.classifier`; the width of a ``run`` is its own.
    run
        The folder; ``None`` for fresh weights.

    Raises
    ------
    ValueError
        If there is no such folder, or its C is for another image size, other classes or another order of them.
    """
    from keras_faces.models.classifier import classifier
    from keras_faces.training.classifying import ClassifierFolder

    if run is None:
        return classifier(image_size, list(label_names), width)
    folder = ClassifierFolder(run)
    if not folder.path.exists():
        raise ValueError(
            f"classifier={run}: there is no such folder. Make it by `keras-faces classify --out {run}`. A run that is "
            'trained already holds C itself: set "classifier" to null in its config.json, and "classifier_width" to '
            "the width of that C."
        )
    found = folder.read()
    theirs, ours = (found.image_size, found.kind, list(found.names)), (image_size, "classes", list(label_names))
    if theirs != ours:
        raise ValueError(
            f"classifier={run} was trained on {theirs[1]} {', '.join(theirs[2][:6])} at {theirs[0]}×{theirs[0]}, this "
            f"system on {ours[1]} {', '.join(ours[2][:6])} at {image_size}×{image_size}: train one with the same "
            "--labels, --data and --image-size."
        )
    network = classifier(image_size, found.names, found.width)
    network.set_weights(folder.load().get_weights())
    return network
