"""ip-gan: the person of one image with everything else of another, also for people who are not in the training set.

Source: the dissertation, chapter 5, algorithm 5.1 and table 5.1; Bao et al. 2018, "Towards Open-Set Identity Preserving
Face Synthesis". A class label can only name people of the training set. Here G reads the features of a face
recogniser, which exist for a photograph of anybody.

- I is a face recogniser, trained by a softmax over people and then left alone; its last pooled features f_I are the
  identity. C is the same network: it compares x' with the person of x^s.
- A encodes the rest: pose, expression, light, background. Reconstruction makes f_A hold what f_I does not, KL keeps it
  short, so that it does not hold the person as well. f_A is sampled from N(μ, σ²) in training (errata S3).
- G makes a face x' of [f_I(x^s), f_A(x^a)]. D is DCGAN's.

Two cases alternate (algorithm 5.1): x^a is x^s, and x' must equal it (λ = 1); or x^a is another image (λ = 0.1). Each
network learns from its own losses (table 5.1, errata S5), with ε = log σ²:

    L_I  = −E log P(c|x^s)                              I = C, before the others          (eq. 5.1, 5.6)
    L_GR = λ/2 ‖x^a − x'‖²                              A and G                           (eq. 5.2)
    L_KL = ½ (μᵀμ + Σ(exp ε − ε − 1))                   A                                 (eq. 5.3)
    L_D  = −E log D(x^a) − E log(1 − D(x'))             D                                 (eq. 5.4)
    L_GD = ½ ‖f_D(x') − f_D(x^a)‖²                      G                                 (eq. 5.5)
    L_GC = ½ ‖f_C(x') − f_C(x^s)‖²                      G                                 (eq. 5.7)

Squares are summed over an image and averaged over the batch. Faces without a label take part in everything but the
softmax (section 5.2.4).

See also: ``identity.py``, using the model; ``models/networks/vgg.py``, the networks; ``keras_faces/applications``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_faces.models.dissertation.identity import (
    IdentityMixin,
    labelled_only,
    retrieval_accuracy,
    softmax_loss,
    trained_recogniser,
)
from keras_faces.models.gans.dcgan import discriminator
from keras_faces.models.networks.vgg import inverted_vgg, stages, vgg
from keras_faces.training.encoder import kl_divergence, reparameterize, squared_error
from keras_faces.training.gan import GAN
from keras_faces.training.gradients import frozen

IMAGE_SIZE = 128
LABELS = ("classes",)
PARTLY_LABELLED = True  # it also learns from faces without a label


def attribute_network(image_size: int, latent_dim: int, width: int = 64, convolutions: Any = None) -> keras.Model:
    """Return A, from an image to ``[μ, log σ²]``, each (latent_dim,): VGG-16 with 2·latent_dim outputs."""
    network = vgg(image_size, 2 * latent_dim, width, convolutions, name="attributes")
    outputs = network.outputs[0]
    return keras.Model(network.inputs[0], [outputs[:, :latent_dim], outputs[:, latent_dim:]], name="encoder")


@keras.saving.register_keras_serializable("keras_faces")
class IPGAN(IdentityMixin, GAN):
    """A G that reads attributes and an identity, and learns by A, D and a recogniser.

    Parameters
    ----------
    generator : keras.Model
        From ``[attributes (batch, latent_dim), identity (batch, n)]`` to images.
    discriminator : keras.Model
        From images to a logit; its last layer is dense, and reads f_D.
    encoder : keras.Model
        A, from images to ``[μ, log σ²]``, each (batch, latent_dim).
    recogniser : keras.Model
        I and C, from images in ``value_range`` to one logit per person; its last layer reads the n features.
    label_names : sequence of str
        Names of the people in the training labels.
    recogniser_iterations : int
        Number of iterations, at the beginning, in which the recogniser learns alone; 0 for a trained one.
    different_weight : float
        λ of eq. 5.2 where x^a is not x^s.
    different : bool
        ``False``: x^a is always x^s (the source's "without T").
    gd_weight, gc_weight, kl_weight : float
        Weights of L_GD, L_GC and L_KL: 1 in the source, 0 leaves one out.
    unlabelled : bool
        ``False``: faces with a label take the places of those without ("without U").
    separate_batches, label_smoothing, average, value_range, seed, name
        See :class:`GAN`; D keeps its cross-entropy.
    """

    learns_from_score = False  # but from D's features
    METRICS = (
        *(*GAN.METRICS, "reconstruction_loss", "kl_loss", "gd_loss", "gc_loss"),
        *("identity_accuracy", "recogniser_loss", "recogniser_accuracy"),
    )

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
            encoder=encoder,
            recogniser=recogniser,
            label_names=label_names,
            separate_batches=separate_batches,
            label_smoothing=label_smoothing,
            average=average,
            value_range=value_range,
            seed=seed,
            name=name,
        )
        self.recogniser_iterations, self.different_weight = recogniser_iterations, different_weight
        self.gd_weight, self.gc_weight, self.kl_weight = gd_weight, gc_weight, kl_weight
        for key in ("recogniser_iterations", "different_weight", "gd_weight", "gc_weight", "kl_weight"):
            if not getattr(self, key) >= 0:
                raise ValueError(f"{key}={getattr(self, key)}: must be 0 (without it) or more.")
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
        """As :meth:`GAN.compile`, with optimizers for A (Adam, 2e-4, beta_1 0.5) and, if it learns, I (Adam, 1e-3)."""
        parts = {
            "discriminator": (d_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.discriminator),
            "generator": (g_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.generator),
            "attributes": (a_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.encoder),
        }
        if self.recogniser_iterations:
            parts["recogniser"] = (r_optimizer or keras.optimizers.Adam(1e-3), self.recogniser)
        self.set_optimizers(parts, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        names = {"d_optimizer": "discriminator", "g_optimizer": "generator", "a_optimizer": "attributes"}
        if self.recogniser_iterations:
            names["r_optimizer"] = "recogniser"
        return self.optimizer_configs(**names)

    def on_iteration(self, iteration: int) -> bool:
        """Switch from the recogniser to the other networks; see :meth:`FaceModel.on_iteration`."""
        learning = "recogniser" if iteration < self.recogniser_iterations else "faces"
        changed, self.learning = learning != self.learning, learning
        return super().on_iteration(iteration) or changed

    def step_count(self) -> int:
        """Return how many steps have been made, those of the recogniser included."""
        return int(ops.convert_to_numpy(self.turn.value))

    def placeholder_logs(self) -> dict[str, Any]:
        """Return what the log shows where nothing is measured: zeros, D undecided, a ``spread`` of 1."""
        middle = {"d_real": 0.5, "d_fake": 0.5, "d_accuracy": 0.5, "spread": 1.0}
        return {name: ops.convert_to_tensor(middle.get(name, 0.0), "float32") for name in self.METRICS}

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """Make one iteration of algorithm 5.1: A learns, then D, then G; in the first iterations the recogniser alone.

        Parameters
        ----------
        images : tensor of uint8, shape (batch, H, W, 3)
            Photographs.
        labels : tensor, shape (batch, people)
            One-hot rows, or zeros for a face without a label.

        Returns
        -------
        dict of scalar tensors
            The logs of :meth:`GAN.step`; each loss without its weight, ``reconstruction_loss`` with its λ;
            ``identity_accuracy``, the share of x' whose features are nearest to those of their own x^s in the batch;
            the recogniser's loss and accuracy, 0 for a trained one.
        """
        self.turn.assign(self.turn + 1.0)
        labels = ops.cast(labels, "float32")
        if not self.unlabelled:
            images, labels = labelled_only(images, labels)
        faces = self.preprocess(images)
        if self.learning == "recogniser":
            return {**self.placeholder_logs(), **self.train_recogniser(faces, labels)}

        subjects, pictures, weight = self.case(faces)  # x^s, x^a, λ
        identity, logits = self.recognise(subjects)  # f_I(x^s)
        self.people.update(identity, labels)
        epsilon = self.noise(ops.shape(faces)[0])

        a_logs, attributes, fake = self.train_attributes(pictures, identity, epsilon, weight)  # f_A(x^a), x'
        self.remember(attributes, identity)
        d_logs = self.train_discriminator(pictures, fake)  # L_D, eq. 5.4
        g_logs = self.train_generator(attributes, identity, pictures, weight)

        r_logs = self.recogniser_logs(labels, logits) if self.recogniser_iterations else {}
        logs = {**self.placeholder_logs(), **a_logs, **d_logs, **g_logs, **r_logs}
        return {**logs, "spread": self.spread(fake, pictures)}

    def case(self, faces: Any) -> tuple[Any, Any, Any]:
        """Return x^s, x^a and λ: in turns the same images, and others of the batch (algorithm 5.1, lines 3 to 9)."""
        order = ops.argsort(self.random(keras.random.uniform, ops.shape(faces)[0]))
        if not self.different:
            return faces, faces, 1.0
        same = ops.mod(self.turn - self.recogniser_iterations, 2.0) == 1.0
        pictures = ops.where(same, faces, ops.take(faces, order, axis=0))
        return faces, pictures, ops.where(same, 1.0, self.different_weight)

    def train_recogniser(self, faces: Any, labels: Any) -> dict[str, Any]:
        """Update I, which is C, once on faces (batch, H, W, 3), half of them mirrored, and labels (batch, people)."""
        mirrored = self.random(keras.random.uniform, ops.shape(faces)[0], 1, 1, 1) < 0.5
        faces = ops.where(mirrored, ops.flip(faces, axis=2), faces)

        def r_loss():
            _, logits = self.recogniser_with_features(faces, training=True)
            return softmax_loss(labels, logits), logits  # eq. 5.1 and 5.6

        _, logits, _ = self.update(r_loss, recogniser=self.recogniser.trainable_variables)
        return self.recogniser_logs(labels, logits)

    def recogniser_logs(self, labels: Any, logits: Any) -> dict[str, Any]:
        """Return the recogniser's loss, and its accuracy over the faces with a label."""
        right = ops.cast(ops.argmax(logits, axis=-1) == ops.argmax(labels, axis=-1), "float32")
        known = ops.sum(labels, axis=-1)
        accuracy = ops.sum(right * known) / ops.maximum(ops.sum(known), 1.0)
        return {"recogniser_loss": softmax_loss(labels, logits), "recogniser_accuracy": accuracy}

    def train_attributes(self, pictures: Any, identity: Any, epsilon: Any, weight: Any) -> tuple[dict, Any, Any]:
        """Update A once on L_KL and L_GR, through the frozen G.

        ``pictures`` is x^a (batch, H, W, 3), ``identity`` f_I(x^s) (batch, identity_dim), ``epsilon`` standard normal
        noise (batch, latent_dim), ``weight`` λ. Returns ``(logs, f_A(x^a), x')``, as they were before the update.
        """

        def a_loss():
            mean, log_variance = self.posterior(pictures, training=True)
            attributes = reparameterize(mean, log_variance, epsilon)
            with frozen(self.generator):
                fake = self.generator([attributes, identity], training=True)
            kl = kl_divergence(mean, log_variance)  # eq. 5.3
            reconstruction = 0.5 * weight * squared_error(pictures, fake)  # eq. 5.2
            return self.kl_weight * kl + reconstruction, (kl, reconstruction, attributes, fake)

        _, (kl, reconstruction, attributes, fake), _ = self.update(a_loss, attributes=self.encoder.trainable_variables)
        logs = {"kl_loss": kl, "reconstruction_loss": reconstruction}
        return logs, ops.stop_gradient(attributes), ops.stop_gradient(fake)

    def train_generator(self, attributes: Any, identity: Any, pictures: Any, weight: Any) -> dict[str, Any]:
        """Update G once on L_GR, L_GD and L_GC, through the frozen D and C.

        ``attributes`` is f_A(x^a) (batch, latent_dim); the others as of :meth:`train_attributes`.
        """
        with frozen(self.discriminator):
            wanted = ops.stop_gradient(self.d_features(pictures, training=True))

        def g_loss():
            fake = self.generator([attributes, identity], training=True)
            with frozen(self.discriminator):
                features = self.d_features(fake, training=True)
            recognised, _ = self.recognise(fake)
            reconstruction = 0.5 * weight * squared_error(pictures, fake)  # eq. 5.2
            gd_loss = 0.5 * squared_error(features, wanted)  # eq. 5.5
            gc_loss = 0.5 * squared_error(recognised, identity)  # eq. 5.7
            loss = reconstruction + self.gd_weight * gd_loss + self.gc_weight * gc_loss
            return loss, (gd_loss, gc_loss, recognised)

        loss, (gd_loss, gc_loss, recognised), gradient = self.update_generator(g_loss)
        accuracy = retrieval_accuracy(recognised, identity)
        logs = {"gd_loss": gd_loss, "gc_loss": gc_loss, "identity_accuracy": accuracy}
        return {"g_loss": loss, "g_gradient": gradient, **logs}

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        if labels is None:
            raise ValueError("ip-gan learns from people's names: train it on faces.labelled('identity').batches(...).")
        if labels.shape[-1] != len(self.label_names):
            raise ValueError(f"ip-gan knows {len(self.label_names)} people, the data have {labels.shape[-1]}.")
        return self.step(images, labels)


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
    learning_rate: float = 2e-4,
    recogniser_learning_rate: float = 1e-3,
    separate_batches: bool = True,
    seed: int = 0,
    **options: Any,
) -> IPGAN:
    """Return IP-GAN, compiled.

    Parameters
    ----------
    image_size : int
        16, 32, 64 or 128.
    label_names : sequence of str
        The people.
    label_kind : str
        "classes".
    recogniser : str, optional
        I and C: a run of ``keras-faces classify --labels identity`` at the same image size; or "file:PATH", a Keras
        model or dlib's recogniser, see :func:`foreign_recogniser`. ``None``: a VGG-16 that learns first, here.
    recogniser_iterations : int, optional
        Number of iterations in which it learns; ``None``: 2,000, or 0 for a trained one.
    identity_pooling : str
        Of that VGG-16, see :func:`keras_faces.models.networks.vgg.vgg`: "flatten", as in the source, or "average",
        which leaves pose and background to A. A recogniser of few photographs wants "average".
    latent_dim : int
        Length of f_A; the source does not print it.
    width, convolutions
        Of I, A, D and G, see :func:`keras_faces.models.networks.vgg.stages`: 64 and VGG-16's in the source.
    gd_weight, gc_weight, kl_weight : float, optional
        Weights of L_GD, L_GC and L_KL. ``None``: (image_size / 128)², the source's 1 at its own size: L_GR is a sum
        over pixels, the others do not shrink with the image.
    learning_rate, recogniser_learning_rate : float
        Adam's, of D, G and A, and of the recogniser. The source prints none.
    separate_batches : bool
        Whether D reads photographs and fakes one after the other.
    options
        ``different_weight``, ``different``, ``unlabelled``: see :class:`IPGAN`; ``average``, ...: :class:`GAN`.

    Raises
    ------
    ValueError
        For another ``image_size``, labels that are not classes, and a recogniser of another size or of attributes.
    """
    stages(image_size, width, convolutions)
    if label_kind not in LABELS or len(label_names) < 2:
        raise ValueError(
            f"ip-gan learns who is on a picture, not {len(label_names)} {label_kind}: take --labels identity."
        )
    if recogniser is None:
        iterations = 2000 if recogniser_iterations is None else recogniser_iterations
        network = vgg(image_size, len(label_names), width, convolutions, identity_pooling, "recogniser")
    elif recogniser_iterations:
        raise ValueError(
            f"recogniser={recogniser} is trained: leave recogniser_iterations={recogniser_iterations} out."
        )
    else:
        iterations, network = 0, trained_recogniser(recogniser, image_size, len(label_names))
    (identity_dim,) = network.layers[-1].input.shape[1:]
    weights = {"gd_weight": gd_weight, "gc_weight": gc_weight, "kl_weight": kl_weight}
    model = IPGAN(
        inverted_vgg(image_size, latent_dim, identity_dim, width, convolutions),
        discriminator(image_size, width),
        encoder=attribute_network(image_size, latent_dim, width, convolutions),
        recogniser=network,
        label_names=label_names,
        recogniser_iterations=iterations,
        **{key: (image_size / 128) ** 2 if value is None else value for key, value in weights.items()},
        separate_batches=separate_batches,
        seed=seed,
        name="ip-gan",
        **options,
    )
    adams = [keras.optimizers.Adam(learning_rate, beta_1=0.5) for _ in range(3)]
    model.compile(*adams, keras.optimizers.Adam(recogniser_learning_rate) if iterations else None)
    return model
