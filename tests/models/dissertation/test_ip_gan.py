"""IP-GAN: who learns from which loss (table 5.1), the two cases, faces without a label, and going on after a stop."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import keras_faces as kf
from keras_faces.data.labels import Labels
from keras_faces.models.dissertation import ip_gan
from keras_faces.models.networks.vgg import inverted_vgg, stages, vgg
from keras_faces.training import checkpoint

NAMES = ("Ann", "Bob", "Cy")
NETWORKS = ("recogniser", "encoder", "discriminator", "generator")


def system(**options):
    weights = {"gd_weight": 1.0, "gc_weight": 1.0, "kl_weight": 1.0}
    given = {"seed": 3, "latent_dim": 5, "width": 4, "convolutions": 1, "label_names": NAMES, **weights}
    return kf.models.build("ip-gan", 16, **{**given, "recogniser_iterations": 0, **options})


@pytest.fixture(scope="module")
def model():
    """One for all that change none of its weights."""
    return system()


@pytest.fixture
def faces(photographs):
    """24 pictures of three people; every fourth has no label."""
    vectors = np.eye(3, dtype="float32")[np.arange(24) % 3]
    vectors[::4] = 0
    return kf.data.Faces(photographs[:24], labels=Labels("classes", NAMES, vectors))


def batch(faces, count=8):
    return ops.convert_to_tensor(faces.images[:count]), ops.convert_to_tensor(faces.labels.vectors[:count])


def moved(model, values, before=None):
    now = {name: values(getattr(model, name).variables) for name in NETWORKS}
    if before is None:
        return now
    pairs = {name: zip(before[name], now[name], strict=True) for name in NETWORKS}
    return {name for name in NETWORKS if any((old != new).any() for old, new in pairs[name])}


# ------------------------------------------------------------------------------------------------- the networks


def test_the_sources_networks():
    """VGG-16 at 128×128: 13 convolutions, 512×4×4 before the one dense layer; G the same the other way round."""
    assert stages(128) == [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
    network = vgg(128, 530, width=4)  # a sixteenth of the channels
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in network.layers) == 13
    assert sum(isinstance(layer, keras.layers.Dense) for layer in network.layers) == 1
    assert network.layers[-1].input.shape[1:] == (512 // 16 * 4 * 4,) and network.output_shape == (None, 530)
    assert vgg(128, 530, width=4, pooling="average").layers[-1].input.shape[1:] == (512 // 16,)
    back = inverted_vgg(128, 256, 64, width=4)
    convolutions = [layer for layer in back.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == [32] * 6 + [16] * 3 + [8] * 2 + [4] * 2 + [3]
    assert back.output_shape == (None, 128, 128, 3)
    assert len([layer for layer in back.layers if isinstance(layer, keras.layers.BatchNormalization)]) == 14


def test_smaller_pictures_keep_the_balance_of_the_sources_size():
    weights = {"gd_weight": None, "gc_weight": 0.0, "kl_weight": None}
    assert system(**weights).get_config()["gd_weight"] == system(**weights).get_config()["kl_weight"] == 1 / 64
    assert system(**weights).get_config()["gc_weight"] == 0


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"image_size": 48}, "Try 64×64|Try 32×32"),
        ({"width": 0}, "width=0"),
        ({"convolutions": [1]}, "2 stages"),
        ({"identity_pooling": "max"}, "flatten, average"),
        ({"label_names": ("Ann",)}, "--labels identity"),
        ({"label_kind": "attributes"}, "--labels identity"),
        ({"loss": "hinge"}, "ip-gan has no such option.*loss"),
        ({"d_steps": 2}, "ip-gan has no such option.*d_steps"),
        ({"gc_weight": -1}, "gc_weight=-1"),
        ({"recogniser": "no/such/run"}, "no/such/run"),
        ({"recogniser": "runs/r", "recogniser_iterations": 5}, "leave recogniser_iterations"),
    ],
)
def test_what_cannot_be_built_is_told(wrong, message):
    given = {"image_size": 16, "label_names": NAMES, "width": 4, **wrong}
    with pytest.raises(ValueError, match=message):
        kf.models.build("ip-gan", given.pop("image_size"), **given)


# -------------------------------------------------------------------------------------------- who learns from what


def test_each_loss_reaches_the_networks_of_table_5_1_and_no_other(faces, values):
    model = system(recogniser_iterations=1)
    real, labels = model.preprocess(faces.images[:8]), ops.convert_to_tensor(faces.labels.vectors[:8])
    before = moved(model, values)
    model.train_recogniser(real, labels)
    assert moved(model, values, before) == {"recogniser"}

    identity, before = model.recognise(real)[0], moved(model, values)
    _, drawn, fake = model.train_attributes(real, identity, model.noise(8), 1.0)
    assert moved(model, values, before) == {"encoder"}

    before = moved(model, values)
    model.train_discriminator(real, fake)
    assert moved(model, values, before) == {"discriminator"}

    before = moved(model, values)
    model.train_generator(drawn, identity, real, 1.0)
    assert moved(model, values, before) == {"generator"}


@pytest.fixture
def gradients(model, faces, monkeypatch):
    """``gradients(part, λ, weight=...)``: what A ("attributes") or G ("generator") would be moved by; nothing moves."""
    real = model.preprocess(faces.images[:8])
    identity = model.recognise(real[::-1])[0]

    def of(part, reconstruction=1.0, **weights):
        seen = []
        with monkeypatch.context() as patch:
            for name, weight in weights.items():
                patch.setattr(model, name, weight)
            patch.setattr(getattr(model.optimizer, part), "apply", lambda found, _: seen.extend(found))
            if part == "attributes":
                model.train_attributes(real, identity, ops.ones((8, 5)), reconstruction)
            else:
                model.train_generator(ops.ones((8, 5)), identity, real, reconstruction)
        return [ops.convert_to_numpy(one) for one in seen]

    return of


def same(first, second):
    return all((one == other).all() for one, other in zip(first, second, strict=True))


def test_a_learns_from_kl_and_reconstruction_alone(gradients):
    usual = gradients("attributes")
    assert same(usual, gradients("attributes", gd_weight=0.0, gc_weight=5.0))
    only_kl, nothing = gradients("attributes", 0.0), gradients("attributes", 0.0, kl_weight=0.0)
    assert not same(usual, only_kl) and not same(only_kl, nothing)
    assert not any(one.any() for one in nothing)


def test_g_learns_from_reconstruction_d_and_c_each_by_itself_and_not_from_kl(gradients):
    nothing = {"gd_weight": 0.0, "gc_weight": 0.0}
    assert not any(one.any() for one in gradients("generator", 0.0, **nothing))
    by_image, by_d = gradients("generator", 1.0, **nothing), gradients("generator", 0.0, **nothing | {"gd_weight": 1.0})
    by_c = gradients("generator", 0.0, **nothing | {"gc_weight": 1.0})
    assert all(any(one.any() for one in found) for found in (by_image, by_d, by_c))
    together = gradients("generator", 1.0, kl_weight=7.0, gd_weight=1.0, gc_weight=1.0)
    for whole, *parts in zip(together, by_image, by_d, by_c, strict=True):
        np.testing.assert_allclose(whole, sum(parts), rtol=2e-2, atol=1e-3 * np.abs(whole).max())


def test_the_losses_of_g_and_a_are_eq_5_2_5_3_5_5_and_5_7(faces):
    model, twin = system(), system()
    real = model.preprocess(faces.images[:8])
    identity, chance = model.recognise(real[::-1])[0], np.linspace(-1, 1, 40, dtype="float32").reshape(8, 5)
    mean, epsilon = (ops.convert_to_numpy(part) for part in twin.encoder(real, training=True))
    z = mean + chance * np.exp(epsilon / 2)
    fake = ops.convert_to_numpy(twin.generator([ops.convert_to_tensor(z), identity], training=True))
    numbers, drawn, made = model.train_attributes(real, identity, ops.convert_to_tensor(chance), 0.1)
    np.testing.assert_allclose(drawn, z, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(made, fake, atol=1e-4)
    wanted = 0.05 * ((ops.convert_to_numpy(real) - fake) ** 2).sum((1, 2, 3)).mean()
    assert float(numbers["reconstruction_loss"]) == pytest.approx(wanted, rel=1e-3)
    kl = 0.5 * ((mean**2).sum(1) + (np.exp(epsilon) - epsilon - 1).sum(1)).mean()
    assert float(numbers["kl_loss"]) == pytest.approx(kl, rel=1e-3)

    in_d, in_d_real = (ops.convert_to_numpy(twin.d_features(x, training=True)) for x in (fake, real))
    in_c = ops.convert_to_numpy(twin.recognise(fake)[0])
    numbers = model.train_generator(drawn, identity, real, 0.1)
    gd, gc = 0.5 * ((in_d - in_d_real) ** 2).sum(1).mean(), 0.5 * ((in_c - np.array(identity)) ** 2).sum(1).mean()
    assert float(numbers["gd_loss"]) == pytest.approx(gd, rel=1e-3)
    assert float(numbers["gc_loss"]) == pytest.approx(gc, rel=1e-3)
    assert float(numbers["g_loss"]) == pytest.approx(wanted + gd + gc, rel=1e-3)


# ------------------------------------------------------------------------------------------------------ the step


def test_the_two_cases_alternate(faces):
    """Lines 3 to 9 of algorithm 5.1: x^a = x^s with λ = 1, then another picture with λ = 0.1."""
    model = system(different_weight=0.25, recogniser_iterations=3)
    real = model.preprocess(faces.images[:8])
    for number in range(4):
        model.turn.assign(3.0 + number + 1.0)  # as `step` counts
        subjects, pictures, weight = model.case(real)
        alike = [(one == other).all() for one, other in zip(np.array(subjects), np.array(pictures), strict=True)]
        assert float(weight) == (1.0 if number % 2 == 0 else 0.25)
        assert all(alike) if number % 2 == 0 else sum(alike) < 5
        assert sorted(np.array(pictures).sum((1, 2, 3))) == pytest.approx(sorted(np.array(subjects).sum((1, 2, 3))))


def test_without_t_x_a_is_always_x_s(faces):
    model = system(different=False)
    model.turn.assign(2.0)
    real = model.preprocess(faces.images[:8])
    subjects, pictures, weight = model.case(real)
    assert weight == 1.0
    np.testing.assert_array_equal(subjects, pictures)


def test_without_u_the_labelled_faces_take_the_places_of_the_others(faces):
    images, labels = ip_gan.labelled_only(*batch(faces, 8))
    assert (np.array(labels).sum(1) == 1).all()
    given = faces.images[:8][faces.labels.vectors[:8].any(1)]
    assert {picture.tobytes() for picture in np.array(images)} == {picture.tobytes() for picture in given}


def test_faces_without_a_label_count_for_nothing_in_the_softmax():
    logits = np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 5.0]], "float32")
    labels = np.array([[1, 0, 0], [0, 0, 0]], "float32")
    wanted = -np.log(np.exp(2) / np.exp([2, 0, -1]).sum())
    assert float(ip_gan.softmax_loss(labels, logits)) == pytest.approx(wanted, rel=1e-5)
    assert float(ip_gan.softmax_loss(0 * labels, logits)) == 0


def test_found_again_counts_the_nearest_directions():
    features = np.array([[1, 0.1], [0.1, 2], [3, 0.2]], "float32")
    assert float(ip_gan.retrieval_accuracy(features, features * 7)) == pytest.approx(1)
    assert float(ip_gan.retrieval_accuracy(features, features[[1, 0, 2]])) == pytest.approx(1 / 3)


def test_first_the_recogniser_then_the_others_and_resumed_bit_for_bit(faces, values, tmp_path, eager):
    """Two iterations of the recogniser, then the others; stopped after three, in the middle of the two cases."""

    def fit(model, start, stop):
        batches = faces.take(np.arange(12)).batches(8, seed=1)
        assert batches.batches_per_epoch == 3
        batches.epoch = start
        model.fit(batches, initial_epoch=start, epochs=stop, verbose=0)

    whole = system(recogniser_iterations=2)
    begun, known = values(whole.generator.variables), values(whole.recogniser.variables)
    fit(whole, 0, 1)
    assert whole.learning == "faces" and whole.step_count() == 3
    assert not same(begun, values(whole.generator.variables)) and not same(known, values(whole.recogniser.variables))
    checkpoint.save(tmp_path / "c.h5", whole, 1, 3)
    known = values(whole.recogniser.variables)
    fit(whole, 1, 2)
    assert same(known, values(whole.recogniser.variables))

    again = system(recogniser_iterations=2, seed=8)
    checkpoint.load(tmp_path / "c.h5", again)
    assert again.step_count() == 3
    fit(again, 1, 2)
    assert same(values(whole.variables), values(again.variables))
    assert same(values(whole.optimizer.variables), values(again.optimizer.variables))


# ------------------------------------------------------------------------------------------------------ its use


def test_people_and_attributes_are_combined(model, photographs):
    subjects, pictures = photographs[:3], photographs[3:6]
    identity, attributes = model.identity(subjects), model.attributes(pictures)
    assert identity.shape == (3, model.identity_dim) and attributes.shape == (3, 5)
    images = model.transfer(subjects, pictures)
    assert images.shape == (3, 16, 16, 3) and images.dtype == np.uint8
    np.testing.assert_array_equal(images, model.combine(identity, attributes))
    np.testing.assert_array_equal(model.reconstruct(subjects), model.transfer(subjects, subjects))
    alone = model.identity(subjects[:1])  # nobody's identity depends on who is beside him
    np.testing.assert_allclose(alone[0], identity[0], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"identities \(2, .* attributes \(3, 5\)"):
        model.combine(identity[:2], attributes)
    with pytest.raises(ValueError, match="uint8"):
        model.identity(np.zeros((2, 8, 8, 3), "uint8"))


def test_a_person_by_pictures_and_by_name(model, photographs):
    one = model.person(photographs[0], 4, seed=2)
    assert one.shape == (4, 16, 16, 3) and (one[0] != one[1]).any()
    np.testing.assert_array_equal(one, model.person(photographs[:1], 4, seed=2))
    assert (one != model.person(photographs[:3], 4, seed=2)).any()
    model.people.means.assign(np.stack([model.identity_of(photographs[i]) for i in range(3)]))
    np.testing.assert_array_equal(model.person("Bob", 4, seed=2), model.person(photographs[1], 4, seed=2))
    np.testing.assert_array_equal(model.sample(6, seed=2, labels="Bob")[:4], model.person("Bob", 4, seed=2))
    np.testing.assert_array_equal(model.sample(4, seed=2)[1], model.sample(4, seed=2, labels=["Ann", "Bob", "Cy"])[1])
    with pytest.raises(ValueError, match="nobody called 'Dora'.*Ann, Bob, Cy"):
        model.person("Dora", 2)


def test_a_recogniser_that_is_given(tmp_path, photographs):
    """The folder of a classifier of people: taken as it is, at its own size, never trained."""
    from keras_faces.models.networks.classifier import classifier
    from keras_faces.runs.classifier import ClassifierConfig, ClassifierFolder

    folder = ClassifierFolder(tmp_path / "known")
    folder.path.mkdir()
    config = ClassifierConfig(labels="identity", image_size=16, kind="classes", names=["x", "y"], width=2)
    folder.write(config)
    network = classifier(16, 2, 2)
    network.save(folder.network)
    model = system(recogniser=str(folder.path), recogniser_iterations=None)
    assert model.identity_dim == 32 and model.learning == "faces" and not hasattr(model.optimizer, "recogniser")
    pixels = photographs[:2] / np.float32(127.5) - 1
    wanted = keras.Model(network.inputs[0], network.layers[-1].input)(pixels)
    np.testing.assert_allclose(model.identity(photographs[:2]), wanted, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="reads 16×16 and tells classes apart: ip-gan at 32×32"):
        kf.models.build("ip-gan", 32, recogniser=str(folder.path), width=4)
    config.kind = "attributes"
    folder.config_file.write_text(json.dumps({**json.loads(folder.config_file.read_text()), "kind": "attributes"}))
    with pytest.raises(ValueError, match="tells attributes apart"):
        system(recogniser=str(folder.path), recogniser_iterations=None)


def test_somebody_elses_recogniser(tmp_path, photographs):
    """A Keras file: f_I is its vector at length √n, behind its own size and values; saved with the model."""
    inner = keras.layers.Conv2D(6, 3, 2)  # a map, which is averaged
    own = keras.Sequential([keras.Input((20, 20, 3)), keras.layers.Rescaling(1 / 255), inner])
    own.save(tmp_path / "eyes.keras")
    model = system(recogniser=f"file:{tmp_path / 'eyes.keras'}", recogniser_iterations=None)
    assert model.identity_dim == 6 and model.learning == "faces" and not hasattr(model.optimizer, "recogniser")
    larger = keras.ops.image.resize(photographs[:3].astype("float32"), (20, 20))
    wanted = keras.ops.convert_to_numpy(own(larger)).mean((1, 2))
    wanted *= 6**0.5 / np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(model.identity(photographs[:3]), wanted, rtol=1e-4, atol=1e-4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.identity(photographs[:3]), model.identity(photographs[:3]))
