"""acgan: eq. 2 and 3 in NumPy on hand-made numbers, who is rewarded for what, and that G's class follows."""

import keras
import numpy as np
import pytest

from keras_faces.models.conditional import acgan

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def log_p(kind, labels, logits):
    """log P(C = c | X) of each image."""
    if kind == "classes":
        return np.log(np.sum(labels * softmax(logits), axis=1))
    return np.sum(labels * np.log(sigmoid(logits)) + (1 - labels) * np.log(1 - sigmoid(logits)), axis=1)


def test_d_has_two_heads_on_one_body():
    network = acgan.discriminator(7)
    assert [tuple(head.shape) for head in network.outputs] == [(None, 1), (None, 7)]
    assert [layer.name for layer in network.layers][-2:] == ["source", "class"]
    shapes = [layer.output.shape[1:] for layer in network.layers if "leaky" in layer.name]
    assert shapes == [(16, 16, 64), (8, 8, 128), (4, 4, 256)]


@pytest.mark.parametrize("kind", acgan.LABELS)
def test_the_class_loss_of_hand_made_numbers(narrow, kind):
    model = narrow("acgan", label_kind=kind)
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0], [100.0, -100.0, -100.0]], "float32")
    labels = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 0]], "float32")
    wanted = -log_p(kind, labels[:2], logits[:2].astype("float64")).sum() / 3  # the third is certain, and costs nothing
    assert float(model.class_loss(labels, logits)) == pytest.approx(wanted, rel=1e-5)
    right = {"classes": 2 / 3, "attributes": (2 + 1 + 3) / 9}[kind]  # of the attributes in each row
    assert float(model.class_accuracy(labels, logits)) == pytest.approx(right)


@pytest.mark.parametrize("kind", acgan.LABELS)
def test_ds_and_gs_losses_are_eq_2_and_3(narrow, photographs, labels_of, kind, values):
    """The sums of D's two sides are halved, as everywhere in the package; L_S and L_C alike."""
    options = {"label_kind": kind, "loss": "saturating"}
    model, twin = narrow("acgan", **options), narrow("acgan", **options)
    real, fake, labels = (
        model.preprocess(photographs[:8]),
        model.preprocess(photographs[8:16]),
        labels_of("acgan", 8)[0],
    )
    (real_s, real_c), (fake_s, fake_c) = ([to_numpy(head) for head in twin.discriminator(x)] for x in (real, fake))
    numbers = model.train_discriminator(real, fake, tensor(labels))
    l_s = np.mean(np.log(sigmoid(real_s))) + np.mean(np.log(1 - sigmoid(fake_s)))
    l_c = np.mean(log_p(kind, labels, real_c)) + np.mean(log_p(kind, labels, fake_c))
    assert float(numbers["d_loss"]) == pytest.approx(-0.5 * l_s, rel=1e-3)
    assert float(numbers["d_class_loss"]) == pytest.approx(-0.5 * l_c, rel=1e-3)

    model, twin = narrow("acgan", **options), narrow("acgan", **options)
    fake = twin.generator([twin.noise(8), tensor(labels)], training=True)
    source, named = (to_numpy(head) for head in twin.discriminator(fake))
    numbers = model.train_generator(model.noise(8), tensor(labels))
    assert float(numbers["g_loss"]) == pytest.approx(np.mean(np.log(1 - sigmoid(source))), rel=1e-3)
    assert float(numbers["g_class_loss"]) == pytest.approx(-np.mean(log_p(kind, labels, named)), rel=1e-3)


def test_class_weight_is_how_much_the_class_counts(narrow, photographs, labels_of, values):
    """With a weight of 0 the head of the class learns nothing; else it moves, and G too, by another gradient."""
    labels, moved, gradients = tensor(labels_of("acgan", 8)[0]), [], []
    for weight in (0.0, 1.0):
        model = narrow("acgan", class_weight=weight)
        head = model.discriminator.get_layer("class")
        before = values(head.trainable_variables)
        gradients.append(float(model.train_generator(model.noise(8), labels)["g_gradient"]))
        model.train_discriminator(model.preprocess(photographs[:8]), model.preprocess(photographs[8:16]), labels)
        after = values(head.trainable_variables)
        moved.append(any((old != new).any() for old, new in zip(before, after, strict=True)))
    assert moved == [False, True] and gradients[0] != gradients[1]
    with pytest.raises(ValueError, match="class_weight=-1"):
        narrow("acgan", class_weight=-1)
    assert narrow("acgan", class_weight=2.5).get_config()["class_weight"] == 2.5


def test_d_learns_to_name_and_g_to_be_named(narrow):
    """Bright is the first class, dark the second. D learns it from photographs; then G is paid for being named."""
    model = narrow("acgan", label_kind="classes", label_names=("bright", "dark"))
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    labels = tensor(np.eye(2, dtype="float32")[[0, 1] * 8])
    shades = np.random.default_rng(0).normal(0, 0.1, (16, 16, 16, 3)) + np.array([0.8, -0.8] * 8)[:, None, None, None]
    real = tensor(shades.astype("float32"))
    for _ in range(12):
        numbers = model.train_discriminator(real, real, labels)
    assert float(numbers["real_class_accuracy"]) == 1.0
    losses = [float(model.train_generator(model.noise(16), labels)["g_class_loss"]) for _ in range(15)]
    assert min(losses[-5:]) < 0.5 * losses[0]
