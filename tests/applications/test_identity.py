"""What one can do with an IP-GAN: shapes, ends and errors of each application, on a narrow one."""

import numpy as np
import pytest

import keras_faces as kf
from keras_faces.applications import adversarial_examples, attribute_morph, detection, frontal, person, transfer


@pytest.fixture(scope="module")
def model():
    return kf.models.build(
        "ip-gan",
        16,
        seed=3,
        latent_dim=5,
        width=4,
        convolutions=1,
        recogniser_iterations=0,
        identity_pooling="average",
        label_names=("Ann", "Bob"),
    )


@pytest.fixture(scope="module")
def faces():
    return kf.data.load("drawn", 16, count=40, progress=False)


def test_a_matrix_has_people_in_rows_and_attributes_in_columns(model, faces):
    subjects, pictures = faces.images[:2], faces.images[4:7]
    images = transfer.matrix(model, subjects, pictures)
    assert images.shape == (2, 3, 16, 16, 3)
    np.testing.assert_array_equal(images[1, 2], model.transfer(subjects[1:], pictures[2:])[0])
    figure = transfer.figure(subjects, pictures, images)
    assert figure.axes[0].images[0].get_array().shape[:2] == (3 * 66 + 2, 4 * 66 + 2)
    with pytest.raises(ValueError, match="take a run of ip-gan"):
        transfer.matrix(kf.models.build("dcgan", 16, width=4), subjects, pictures)


def test_people_have_the_same_attributes_in_a_column(model, faces):
    images = person.people(model, faces.images[:2], count=3, seed=4)
    assert images.shape == (2, 3, 16, 16, 3)
    np.testing.assert_array_equal(images[1], model.person(faces.images[1], 3, seed=4))
    assert person.figure(faces.images[:2], images).axes
    with pytest.raises(ValueError, match="count=0"):
        person.people(model, faces.images[:2], count=0)


def test_a_morph_goes_from_the_first_attributes_to_the_last(model, faces):
    """Eq. 5.8 with α from 1 to 0, the identity standing still."""
    subjects, first, last = faces.images[:2], faces.images[2:4], faces.images[4:6]
    images = attribute_morph.attribute_path(model, subjects, first, last, steps=3)
    np.testing.assert_array_equal(images[:, 0], model.transfer(subjects, first))
    np.testing.assert_array_equal(images[:, 2], model.transfer(subjects, last))
    half = (model.attributes(first) + model.attributes(last)) / 2
    between = model.combine(model.identity(subjects), half).astype(int)
    assert np.abs(images[:, 1] - between).max() <= 1
    assert attribute_morph.figure(subjects, first, last, images).axes
    with pytest.raises(ValueError, match="2 subjects, 1 first"):
        attribute_morph.attribute_path(model, subjects, first[:1], last)
    with pytest.raises(ValueError, match="steps=1"):
        attribute_morph.attribute_path(model, subjects, first, last, steps=1)


def test_faces_that_look_ahead_are_the_symmetric_ones():
    """Of drawn faces the turn of the head is known exactly."""
    from keras_faces.data.drawn import DrawnFaces

    drawn = DrawnFaces(150, 32, seed=5)
    images, turned = drawn[:], np.array([abs(drawn.factors(number)[1].yaw) for number in range(150)])
    order = np.argsort(frontal.asymmetry(images))
    assert turned[order[:20]].mean() < 0.6 * turned[order[-20:]].mean()
    assert frontal.asymmetry(np.concatenate([images[:1, :, :16], images[:1, :, 15::-1]], axis=2))[0] < 1e-6
    chosen = frontal.fitting_fronts(images[order[-4:]], images, among=5)
    assert set(chosen) <= set(order[:5])
    dark, bright = np.zeros((1, 32, 32, 3), "uint8"), np.full((1, 32, 32, 3), 255, "uint8")
    shades = images[order[:5]].mean(axis=(1, 2, 3))
    np.testing.assert_array_equal(
        frontal.fitting_fronts(np.concatenate([dark, bright]), images, 5), order[[shades.argmin(), shades.argmax()]]
    )


def test_a_frontal_view_is_a_transfer(model, faces):
    images = frontal.frontal(model, faces.images[:2], faces.images[2:4])
    np.testing.assert_array_equal(images, model.transfer(faces.images[:2], faces.images[2:4]))
    assert frontal.figure(faces.images[:2], faces.images[2:4], images).axes
    with pytest.raises(ValueError, match="2 profiles and 1 frontal"):
        frontal.frontal(model, faces.images[:2], faces.images[2:3])


def test_adversarial_examples_fool_the_recogniser_within_their_bound(model, faces):
    """Eq. 5.9: the squared distance is below θ, and r is smaller than what a careless way to the target needs."""
    from keras import ops

    images, targets = faces.images[:4], faces.images[4:8]
    wanted = ops.convert_to_numpy(adversarial_examples.unit_features(model, targets))
    before = ((ops.convert_to_numpy(adversarial_examples.unit_features(model, images)) - wanted) ** 2).sum(1)
    threshold = float(before.min()) / 3
    found = adversarial_examples.attack(model, images, targets, threshold, steps=25)
    assert found.images.dtype == np.uint8 and found.fooled.all()
    after = ops.convert_to_numpy(adversarial_examples.unit_features(model, found.images))
    np.testing.assert_allclose(found.distances, ((after - wanted) ** 2).sum(1), rtol=1e-3, atol=1e-5)
    assert (found.distances < threshold).all()
    r = np.sqrt(((found.images.astype(float) - images) ** 2).sum((1, 2, 3)))
    whole = np.sqrt(((targets.astype(float) - images) ** 2).sum((1, 2, 3)))
    assert (r < 0.5 * whole).all() and (r > 0).all()
    assert found.needed.all()
    himself = adversarial_examples.attack(model, images, images, threshold, steps=1)
    assert not himself.needed.any() and (himself.images == images).all()
    looser = adversarial_examples.attack(model, images, targets, 2 * threshold, steps=25)
    moved = np.sqrt(((looser.images.astype(float) - images) ** 2).sum((1, 2, 3)))
    assert moved.mean() < r.mean()
    never = adversarial_examples.attack(model, images, targets, 1e-9, steps=1)
    assert not never.fooled.any() and np.isfinite(never.distances).all()
    with pytest.raises(ValueError, match="threshold=5"):
        adversarial_examples.attack(model, images, targets, 5)


def test_textures_are_histograms_of_parts(faces):
    found = detection.texture(faces.images[:3])
    assert found.shape == (3, 160)
    np.testing.assert_allclose(found.reshape(3, 16, 10).sum(axis=2), 1.0)
    together = detection.pair_textures(faces.images[:3], faces.images[3:6])
    np.testing.assert_array_equal(together[:, :160], found)
    np.testing.assert_allclose(together[:, 320:], np.abs(found - detection.texture(faces.images[3:6])))


def test_the_svm_finds_what_can_be_found_and_nothing_where_there_is_nothing():
    random = np.random.default_rng(0)
    pairs = np.tile(np.arange(20), 2)
    honest = random.normal(size=(40, 6))
    assert detection.detection_accuracy(honest, random.normal(size=(40, 6)) + 3, pairs).mean() > 0.95
    assert abs(detection.detection_accuracy(honest, random.normal(size=(40, 6)), pairs).mean() - 0.5) < 0.2
    with pytest.raises(ValueError, match="two pairs"):
        detection.detection_accuracy(honest[:2], honest[:2], np.zeros(2))


def test_the_table_has_a_row_a_threshold_and_the_sources_numbers(model, faces):
    first, second = detection.pairs_of_people(faces, 6, seed=1)
    assert first.shape == second.shape == (6, 16, 16, 3)
    found, shown = detection.table(model, first, second, (1.0, 0.4), steps=3, folds=3)
    assert list(found["threshold"]) == [1.0, 0.4] and list(found["source"]) == [0.7673, 0.9241]
    assert found["attacks"].between(0, 12).all()
    attacked = found[found["attacks"] > 4]
    assert attacked["accuracy"].between(0, 1).all() and attacked["got through"].between(0, 1).all()
    nobody, _ = detection.table(model, first, second, (3.9,), steps=1)
    assert nobody["attacks"][0] == 0 and np.isnan(nobody["accuracy"][0])
    assert shown.shape == (4, 6, 16, 16, 3)
    np.testing.assert_array_equal(shown[:, 0], first[:4])
    np.testing.assert_array_equal(shown[:, 3], model.reconstruct(first[:4]))
    assert detection.figure(shown).axes
    with pytest.raises(ValueError, match="not known who"):
        detection.pairs_of_people(kf.data.Faces(faces.images[:4]), 2)
    alone = kf.data.Faces(faces.images[:4], identities=np.zeros(4, int))
    with pytest.raises(ValueError, match="two pairs of different people"):
        detection.pairs_of_people(alone, 2)
