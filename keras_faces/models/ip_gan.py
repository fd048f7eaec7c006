"""ip-gan: who is on one picture, and all the rest of another; also of people whom it never learned.

Source: the dissertation on conditional face synthesis, chapter 5, algorithm 5.1 and table 5.1 (Bao et al. 2018,
"Towards Open-Set Identity Preserving Face Synthesis"). A class label can only name people of the training set. Here G
reads what a face recogniser sees in a picture, and that it sees in any picture, of anybody.

- I says who it is. It is a face recogniser, trained by a softmax over people (eq. 5.1) and then left alone;
  f_I, its last pooled features, is the identity.
- A says all the rest: turn of the head, smile, light, wall. Nobody labels these. A is taught by two losses alone:
  reconstruction wants all that I does not tell, and KL (eq. 5.3) wants as little as possible, so that it does not tell
  who it is. f_A is drawn from N(μ, σ²) in training (errata S3).
- G makes a face x' of [f_I(x^s), f_A(x^a)]. C is I again: it looks whether x' is still the person of x^s. D is that of
  DCGAN.

Two cases alternate (algorithm 5.1): x^a is x^s itself, and x' must be x^s in every pixel; or x^a is another picture,
and x' should resemble it a little, λ = 0.1, in what the pixels share (eq. 5.2).

| network | learns from (table 5.1, errata S5) |
|---|---|
| I = C | softmax, before the others |
| A | KL, and reconstruction L_GR = λ/2 ‖x^a − x'‖² |
| G | L_GR, L_GD = ½ ‖f_D(x') − f_D(x^a)‖² (eq. 5.5) and L_GC = ½ ‖f_C(x') − f_C(x^s)‖² (eq. 5.7) |
| D | its cross-entropy, x^a being real and x' fake (eq. 5.4) |

All squares are summed over an image's numbers and averaged over the batch. So the loss of A is not that of G, and each
network is moved by a method of its own.

Faces without a label join everywhere but in the softmax (section 5.2.4).

Read next: ``vgg.py``, the networks; ``keras_faces/applications``, what one can do with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_faces.models.dcgan import discriminator
from keras_faces.models.vgg import inverted_vgg, stages, vgg
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.encoding import kl_divergence, reparametrised, squared_error
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import frozen, value_and_grad
from keras_faces.training.identities import Identities, found_again, labelled_only, softmax_loss, trained_recogniser
from keras_faces.training.optimizers import AdversarialOptimizer

IMAGE_SIZE = 128
PRINTED: dict = {}  # section 5.3.1 names VGG-16 and DCGAN, and prints no layers
LABELS = ("classes",)
PARTLY_LABELLED = True  # faces without a label are welcome


@keras.saving.register_keras_serializable("keras_faces")
class IPGAN(Identities, AdversarialModel):
    """A G that reads attributes and an identity, taught by A, D and a recogniser.

    Parameters
    ----------
    generator
        Model from ``[attributes (batch, latent_dim), identity (batch, n)]`` to images.
    discriminator
        Model from images to a logit, whose last layer reads a vector.
    encoder
        A: model from images to ``[μ, log σ²]``, each (batch, latent_dim).
    recogniser
        I and C: model from images in ``value_range`` to a logit a person, whose last layer reads the n features.
    label_names
        Names of the people whom the training photographs are labelled with.
    recogniser_iterations
        For how many iterations the recogniser learns, alone, before the others do; 0 for one that is trained.
    different_weight
        λ of eq. 5.2, where x^a is not x^s.
    different
        ``False``: x^a is always x^s (the source's "without T").
    gd_weight, gc_weight, kl_weight
        How much L_GD, L_GC and KL count: 1 in the source, 0 to leave one out.
    unlabelled
        ``False``: the place of each face without a label is taken by one with a label ("without U").
    rule
        ``average``, ``seed``, ...: see :class:`AdversarialModel`.
    """

    learns_from_score = False  # but from D's features
    NUMBERS = (*AdversarialModel.NUMBERS, "reconstruction_loss", "kl_loss", "gd_loss", "gc_loss", "identity_accuracy")
    NUMBERS = (*NUMBERS, "recogniser_loss", "recogniser_accuracy")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        encoder: keras.Model,
        recogniser: keras.Model,
        label_names: Sequence[str],
        recogniser_iterations: int = 0,
        different_weight: float = 0.1,
        different: bool = True,
        gd_weight: float = 1.0,
        gc_weight: float = 1.0,
        kl_weight: float = 1.0,
        unlabelled: bool = True,
        **rule: Any,
    ) -> None:
        super().__init__(
            generator, discriminator, encoder=encoder, recogniser=recogniser, label_names=label_names, **rule
        )
        if self.loss_name != "non-saturating" or self.gradient_penalty or self.clip or self.r1 or self.d_steps != 1:
            raise ValueError("ip-gan has losses of its own: leave loss, penalties and d_steps out.")
        self.numbers = {
            "recogniser_iterations": recogniser_iterations,
            "different_weight": different_weight,
            "gd_weight": gd_weight,
            "gc_weight": gc_weight,
            "kl_weight": kl_weight,
        }
        for key, value in self.numbers.items():
            if not value >= 0:
                raise ValueError(f"{key}={value}: must be 0 (without it) or more.")
        self.different, self.unlabelled = different, unlabelled
        self.d_features = keras.Model(discriminator.inputs[0], discriminator.layers[-1].input, name="d_features")
        self.turn = self.add_weight((), initializer="zeros", trainable=False, dtype="float32", name="turn")
        self.learning = "recogniser" if recogniser_iterations else "faces"

    def compile(
        self,
        d_optimizer: Any = None,
        g_optimizer: Any = None,
        a_optimizer: Any = None,
        r_optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """An optimizer for D, G, A, and for the recogniser if it is to learn; by default Adam, rate 2e-4, β₁ 0.5."""
        others = {"attributes": a_optimizer or Adam(2e-4, beta_1=0.5)}
        weights = [self.discriminator, self.generator, self.encoder]
        if self.numbers["recogniser_iterations"]:
            others["recogniser"] = r_optimizer or Adam(1e-3)
            weights.append(self.recogniser)
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or Adam(2e-4, beta_1=0.5),
            generator=g_optimizer or Adam(2e-4, beta_1=0.5),
            **others,
        )
        optimizer.build(*(network.trainable_variables for network in weights))
        FaceModel.compile(self, optimizer=optimizer, **kwargs)

    def enter(self, iteration: int) -> bool:
        """The hook of the core: once the recogniser is trained, the other networks are, so the step is traced anew."""
        learning = "recogniser" if iteration < self.numbers["recogniser_iterations"] else "faces"
        another, self.learning = learning != self.learning, learning
        return super().enter(iteration) or another

    def iterations(self) -> int:
        """How many steps have been made, those of the recogniser included."""
        return int(ops.convert_to_numpy(self.turn.value))

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """One iteration of algorithm 5.1: A, then D, then G; in the beginning, of the recogniser alone.

        Parameters
        ----------
        images
            Photographs, uint8 (batch, H, W, 3), with and without labels.
        labels
            (batch, people): one-hot, or zeros for a face without a label.

        Returns
        -------
        The numbers of :meth:`AdversarialModel.step`; each loss without its weight, ``reconstruction_loss`` with its λ;
        ``identity_accuracy``, how often the features of x' are, of all x^s in the batch, nearest to those of its own;
        the recogniser's loss and how often it is right, 0 if it came trained.
        """
        self.turn.assign(self.turn + 1.0)
        labels = ops.cast(labels, "float32")
        if not self.unlabelled:
            images, labels = labelled_only(images, labels)
        faces = self.scaled(images)
        if self.learning == "recogniser":
            return {**self.nothing_yet(), **self.improve_recogniser(faces, labels)}

        subjects, pictures, weight = self.case(faces)  # x^s, x^a, λ
        identity, logits = self.recognise(subjects)
        self.people.update(identity, labels)
        chance = self.noise(ops.shape(faces)[0])

        a_numbers, drawn, fake = self.improve_attributes(pictures, identity, chance, weight)
        self.remember(drawn, identity)
        d_numbers = self.improve_discriminator(pictures, fake)
        g_numbers = self.improve_generator(pictures, identity, drawn, weight)

        spread = self.spread_of(fake, pictures)
        knows = self.recogniser_numbers(labels, logits) if self.numbers["recogniser_iterations"] else {}
        return {**self.nothing_yet(), **a_numbers, **d_numbers, **g_numbers, **knows, "spread": spread}

    def nothing_yet(self) -> dict[str, Any]:
        """What stands in the log for what is not measured: zeros; D cannot tell, and fakes differ as they should."""
        middle = {"d_real": 0.5, "d_fake": 0.5, "d_accuracy": 0.5, "spread": 1.0}
        return {name: ops.convert_to_tensor(middle.get(name, 0.0), "float32") for name in self.NUMBERS}

    def case(self, faces: Any) -> tuple[Any, Any, Any]:
        """x^s, x^a and λ: in turns the same pictures, and others of the batch (algorithm 5.1, lines 3 to 9)."""
        order = ops.argsort(self.fresh(keras.random.uniform, ops.shape(faces)[0]))
        if not self.different:
            return faces, faces, 1.0
        same = ops.mod(self.turn - self.numbers["recogniser_iterations"], 2.0) == 1.0
        pictures = ops.where(same, faces, ops.take(faces, order, axis=0))
        return faces, pictures, ops.where(same, 1.0, self.numbers["different_weight"])

    def improve_recogniser(self, faces: Any, labels: Any) -> dict[str, Any]:
        """One step of I and C, which are one network, on the softmax of people (eq. 5.1 and 5.6); half are mirrored."""
        mirrored = self.fresh(keras.random.uniform, ops.shape(faces)[0], 1, 1, 1) < 0.5
        faces = ops.where(mirrored, ops.flip(faces, axis=2), faces)

        def r_loss():
            _, logits = self.eyes(faces, training=True)
            return softmax_loss(labels, logits), logits

        weights = self.recogniser.trainable_variables
        (_, logits), gradients = value_and_grad(r_loss, weights, self.variables, self.optimizer.recogniser)
        self.optimizer.recogniser.apply(gradients, weights)
        return self.recogniser_numbers(labels, logits)

    def recogniser_numbers(self, labels: Any, logits: Any) -> dict[str, Any]:
        """Its loss, and how many of the labelled faces it knows."""
        right = ops.cast(ops.argmax(logits, axis=-1) == ops.argmax(labels, axis=-1), "float32")
        known = ops.sum(labels, axis=-1)
        accuracy = ops.sum(right * known) / ops.maximum(ops.sum(known), 1.0)
        return {"recogniser_loss": softmax_loss(labels, logits), "recogniser_accuracy": accuracy}

    def improve_attributes(self, pictures: Any, identity: Any, chance: Any, weight: Any) -> tuple[dict, Any, Any]:
        """One step of A on KL and L_GR through the frozen G. Returns its numbers, f_A drawn, and x' of before it."""

        def a_loss():
            mean, log_variance = self.posterior(pictures, training=True)
            drawn = reparametrised(mean, log_variance, chance)
            with frozen(self.generator):
                fake = self.generator([drawn, identity], training=True)
            kl = kl_divergence(mean, log_variance)
            reconstruction = 0.5 * weight * squared_error(pictures, fake)
            return self.numbers["kl_weight"] * kl + reconstruction, (kl, reconstruction, drawn, fake)

        weights, optimizer = self.encoder.trainable_variables, self.optimizer.attributes
        (_, (kl, reconstruction, drawn, fake)), gradients = value_and_grad(a_loss, weights, self.variables, optimizer)
        optimizer.apply(gradients, weights)
        numbers = {"kl_loss": kl, "reconstruction_loss": reconstruction}
        return numbers, ops.stop_gradient(drawn), ops.stop_gradient(fake)

    def improve_generator(self, pictures: Any, identity: Any, drawn: Any, weight: Any) -> dict[str, Any]:
        """One step of G on L_GR, L_GD and L_GC, through the frozen D and C."""
        with frozen(self.discriminator):
            wanted = ops.stop_gradient(self.d_features(pictures, training=True))

        def g_loss():
            fake = self.generator([drawn, identity], training=True)
            with frozen(self.discriminator):
                seen = self.d_features(fake, training=True)
            recognised, _ = self.recognise(fake)
            reconstruction = 0.5 * weight * squared_error(pictures, fake)
            in_d, in_c = 0.5 * squared_error(seen, wanted), 0.5 * squared_error(recognised, identity)
            loss = reconstruction + self.numbers["gd_weight"] * in_d + self.numbers["gc_weight"] * in_c
            return loss, (in_d, in_c, recognised)

        weights = self.generator.trainable_variables
        (loss, (in_d, in_c, recognised)), gradients = value_and_grad(
            g_loss, weights, self.variables, self.optimizer.generator
        )
        accuracy = found_again(recognised, identity)
        numbers = {"gd_loss": in_d, "gc_loss": in_c, "identity_accuracy": accuracy}
        return {**self.move_generator(loss, gradients), **numbers}

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        if labels is None:
            raise ValueError("ip-gan learns from people's names: train it on faces.labelled('identity').batches(...).")
        if labels.shape[-1] != len(self.label_names):
            raise ValueError(f"ip-gan knows {len(self.label_names)} people, the data have {labels.shape[-1]}.")
        return self.step(images, labels)

    # ---------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.numbers, "different": self.different, "unlabelled": self.unlabelled}

    def get_compile_config(self) -> dict[str, Any]:
        parts = {"d_optimizer": "discriminator", "g_optimizer": "generator"}
        parts |= {"a_optimizer": "attributes", "r_optimizer": "recogniser"}
        found = {key: getattr(self.optimizer, name, None) for key, name in parts.items()}
        return {key: keras.saving.serialize_keras_object(part) for key, part in found.items() if part is not None}


# ------------------------------------------------------------------------------------------------- building


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    recogniser: str | None = None,
    recogniser_iterations: int | None = None,
    identity_pooling: str = "flatten",
    latent_dim: int = 256,
    width: int = 64,
    convolutions: int | Sequence[int] | None = None,
    gd_weight: float | None = None,
    gc_weight: float | None = None,
    kl_weight: float | None = None,
    rate: float = 2e-4,
    recogniser_rate: float = 1e-3,
    separate_batches: bool = True,
    seed: int = 0,
    **rule: Any,
) -> IPGAN:
    """IP-GAN, compiled.

    Parameters
    ----------
    image_size
        16, 32, 64 or 128.
    label_names, label_kind
        The people, which are classes.
    recogniser
        I and C: a run of ``keras-faces classify --labels identity``, at the same image size; or "file:PATH", a Keras
        model or dlib's recogniser, which knows millions of faces, see :func:`foreign_recogniser`. ``None``: a VGG-16
        that learns first, on the labelled faces.
    recogniser_iterations
        For how many iterations it does; ``None``: 2,000, or none of a given one.
    identity_pooling
        Of that VGG-16: "flatten", f_I is the last map as in the source; or "average", see ``vgg.vgg``. A recogniser of
        few photographs has not learned to overlook the turn of a head or the wall; from its map G makes the whole
        picture again and needs no A. The averages tell less.
    latent_dim
        Length of f_A; the source does not print it.
    width, convolutions
        Of I, A, D and G, see ``vgg.stages``: 64 and VGG-16's in the source.
    gd_weight, gc_weight, kl_weight
        How much L_GD, L_GC and KL count; 0: without. ``None``: (image_size / 128)², which is the source's 1 at its own
        size. L_GR is a sum over pixels, of which smaller pictures have fewer; the others do not shrink with it.
    rate, recogniser_rate
        Adam's, of D, G and A, and of the recogniser. The source prints none.
    rule
        ``different_weight``, ``different``, ``unlabelled``: see :class:`IPGAN`; ``average``: see
        :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For another image size, labels that are no classes, and a recogniser of another size or of attributes.
    """
    stages(image_size, width, convolutions)
    if label_kind not in LABELS or len(label_names) < 2:
        raise ValueError(
            f"ip-gan learns who is on a picture, not {len(label_names)} {label_kind}: take --labels identity."
        )
    if recogniser is None:
        iterations = 2000 if recogniser_iterations is None else recogniser_iterations
        eyes = vgg(image_size, len(label_names), width, convolutions, identity_pooling, "recogniser")
    elif recogniser_iterations:
        raise ValueError(
            f"recogniser={recogniser} is trained: leave recogniser_iterations={recogniser_iterations} out."
        )
    else:
        iterations, eyes = 0, trained_recogniser(recogniser, image_size, len(label_names))
    (identity_dim,) = eyes.layers[-1].input.shape[1:]
    weights = {"gd_weight": gd_weight, "gc_weight": gc_weight, "kl_weight": kl_weight}
    model = IPGAN(
        inverted_vgg(image_size, latent_dim, identity_dim, width, convolutions),
        discriminator(image_size, width),
        encoder=attribute_network(image_size, latent_dim, width, convolutions),
        recogniser=eyes,
        label_names=label_names,
        recogniser_iterations=iterations,
        **{key: (image_size / 128) ** 2 if value is None else value for key, value in weights.items()},
        separate_batches=separate_batches,
        seed=seed,
        name="ip-gan",
        **rule,
    )
    adams = [Adam(rate, beta_1=0.5) for _ in range(3)]
    model.compile(*adams, Adam(recogniser_rate) if iterations else None)
    return model


def attribute_network(image_size: int, latent_dim: int, width: int = 64, convolutions: Any = None) -> keras.Model:
    """A: image to ``[μ, log σ²]``, each (latent_dim,), float32: VGG-16 whose dense layer has 2·latent_dim numbers."""
    network = vgg(image_size, 2 * latent_dim, width, convolutions, name="attributes")
    said = network.outputs[0]
    return keras.Model(network.inputs[0], [said[:, :latent_dim], said[:, latent_dim:]], name="encoder")
