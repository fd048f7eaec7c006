"""Inpainting, retrieval and relabelling with a model of a few lines, whose codes can be seen through."""

import numpy as np
import pytest

from keras_faces.applications import augment, codes, inpaint, relabel, retrieve
from keras_faces.data import Faces, load
from keras_faces.data.labels import Labels

NAMES = ("red", "green", "blue")


class Sketch:
    """Codes are mean colours; a face is its code's colour, or its label's with the code's brightness."""

    name, latent_dim, label_kind = "sketch", 3, "classes"

    def encode(self, images, labels=None):
        return images.mean(axis=(1, 2)).astype("float32")

    def decode(self, latents, labels=None):
        latents = latents if labels is None else latents.mean(axis=1, keepdims=True) * labels
        return np.broadcast_to(latents[:, None, None], (len(latents), 16, 16, 3)).round().astype("uint8")


class LabelMixin(Sketch):
    label_names = NAMES

    def label_vectors(self, labels, count):
        labels = [NAMES.index(label) for label in labels] if isinstance(labels[0], str) else labels
        return np.eye(3, dtype="float32")[labels] if np.ndim(labels) == 1 else np.asarray(labels, "float32")

    def named(self, images):
        return np.eye(3, dtype="float32")[images.mean(axis=(1, 2)).argmax(1)]


class Noise:
    name = "noise"


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3)).astype("uint8")


# ------------------------------------------------------------------------------------------------- inpainting


def test_the_hole_of_the_source_and_one_of_ones_own():
    mask = inpaint.hole(128)
    assert mask.sum() == 2500 and mask[39:89, 39:89].all()  # 50×50 in the middle of 128×128
    assert inpaint.hole(16, (2, 3, 4, 5)).sum() == 20 and inpaint.hole(16, (2, 3, 4, 5))[2, 3] == 1
    for place in ((0, 0, 0, 4), (-1, 0, 4, 4), (14, 0, 4, 4), (0, 13, 4, 4)):
        with pytest.raises(ValueError, match="does not lie in 16×16"):
            inpaint.hole(16, place)


def test_masks_blend_by_eq_4_6(images):
    mask = np.random.default_rng(1).random((16, 16)) > 0.5
    made = images[::-1]
    blended = inpaint.blended(images, made, mask)
    np.testing.assert_array_equal(blended, np.where(mask[..., None], made, images))
    half = inpaint.blended(images, made, np.full((16, 16), 0.5))
    np.testing.assert_allclose(half, (images.astype(float) + made) / 2, atol=0.5)


def test_only_the_hole_changes_and_nothing_in_it_is_looked_at(images):
    mask = inpaint.hole(16, (4, 4, 6, 6))
    found = inpaint.inpaint(Sketch(), images, mask)
    np.testing.assert_array_equal(found.repaired[:, mask == 0], images[:, mask == 0])
    np.testing.assert_array_equal(found.repaired[:, mask == 1], found.generated[:, mask == 1])
    other = images.copy()
    other[:, mask == 1] = 7
    np.testing.assert_array_equal(inpaint.inpaint(Sketch(), other, mask).repaired, found.repaired)
    colour = images[:, mask == 0].mean(axis=1)  # the mean of what is left: what this model paints
    np.testing.assert_allclose(found.repaired[:, 5, 5], colour, atol=1)
    flat = np.full_like(images, 90)
    assert inpaint.inpaint(Sketch(), flat, mask).psnr() == pytest.approx((10 * np.log10(255**2 / 0.01),) * 2)


def test_what_cannot_be_inpainted(images):
    for changes, message in (
        ({"mask": np.zeros((16, 16))}, "has some of both"),
        ({"mask": np.ones((16, 16))}, "has some of both"),
        ({"mask": np.ones((8, 8))}, "a mask of \\(8, 8\\) for images of \\(16, 16\\)"),
        ({"rounds": 0}, "rounds=0"),
        ({"labels": "red"}, "sketch reads no labels"),
    ):
        with pytest.raises(ValueError, match=message):
            inpaint.inpaint(Sketch(), images, **changes)
    with pytest.raises(ValueError, match="has no encoder"):
        inpaint.inpaint(Noise(), images)


def test_labels_are_those_given_or_those_that_the_model_names(images):
    assert codes.label_rows(Sketch(), images) is None
    np.testing.assert_array_equal(codes.label_rows(LabelMixin(), images), LabelMixin().named(images))
    np.testing.assert_array_equal(codes.label_rows(LabelMixin(), images, [2] * 40), np.eye(3)[[2] * 40])
    assert inpaint.inpaint(LabelMixin(), images, labels=["green"] * 40).generated[:, 0, 0, 0].max() == 0


# -------------------------------------------------------------------------------------- retrieval, relabelling


def test_the_nearest_in_z_without_the_picture_itself(images):
    faces = Faces(images)
    numbers, distances = retrieve.retrieve(Sketch(), images[[3, 8]], faces, k=5, progress=False)
    means = images.mean(axis=(1, 2))
    for row, (picture, found) in enumerate(zip((3, 8), numbers, strict=True)):
        far = np.linalg.norm(means - means[picture], axis=1)
        np.testing.assert_array_equal(found, np.argsort(far)[1:6])
        np.testing.assert_allclose(distances[row], np.sort(far)[1:6], atol=1e-3)
    stranger = 255 - images[:1]
    numbers, _ = retrieve.retrieve(Sketch(), stranger, faces, k=40, progress=False)
    assert sorted(numbers[0]) == list(range(40))
    with pytest.raises(ValueError, match="k=40: must be from 1 to 39"):
        retrieve.retrieve(Sketch(), images[:1], faces, k=40, progress=False)
    figure = retrieve.figure_of(images[:2], faces, numbers[[0, 0], :3], np.ones((2, 3)))
    assert len(figure.axes) == 8


def test_many_codes_are_those_of_each_and_read_the_faces_own_labels(images):
    class Told(LabelMixin):
        def encode(self, images, labels=None):
            return labels * images.mean(axis=(1, 2, 3))[:, None]

    many = np.concatenate([images] * 7)  # more than one portion
    vectors = np.eye(3, dtype="float32")[np.arange(280) % 3]
    found = codes.codes_of(Told(), Faces(many, labels=Labels("classes", NAMES, vectors)), progress=False)
    np.testing.assert_allclose(found, vectors * many.mean(axis=(1, 2, 3))[:, None], rtol=1e-6)
    others = Labels("classes", ("a", "b", "c"), vectors)  # of another run: the model names them itself
    found = codes.codes_of(Told(), Faces(many, labels=others), progress=False)
    np.testing.assert_array_equal(found > 0, Told().named(many) > 0)


def test_one_code_under_every_label(images):
    made = relabel.relabelled(LabelMixin(), images[:4], ["blue", "red"])
    brightness = images[:4].mean(axis=(1, 2, 3))
    assert made.shape == (2, 4, 16, 16, 3)
    np.testing.assert_allclose(made[0, :, 0, 0], brightness[:, None] * [0, 0, 1], atol=1)
    np.testing.assert_allclose(made[1, :, 0, 0], brightness[:, None] * [1, 0, 0], atol=1)
    with pytest.raises(ValueError, match="reads no labels"):
        relabel.relabelled(Sketch(), images[:4], ["red"])


# ------------------------------------------------------------------------------------------------ augmentation


def test_known_and_interpolated_labels(painter):
    wanted = augment.wanted_labels(painter("classes"), per_label=2, interpolated=50, per_new=3, seed=1)
    assert len(wanted.names) == len(set(wanted.names)) == 53
    np.testing.assert_array_equal(wanted.vectors[:3], np.eye(3))
    new = wanted.vectors[3:]
    np.testing.assert_allclose(new.sum(1), 1, atol=1e-6)
    assert ((new > 0).sum(1) == 2).all() and new.max() <= 0.75 and new[new > 0].min() >= 0.25
    assert wanted.per_person.tolist() == [2] * 3 + [3] * 50 and len(wanted.persons) == 156
    for model, asked, message in (
        (painter("attributes"), {"interpolated": 3}, "half an attribute"),
        (painter("classes"), {"per_label": 0}, "that is no face"),
        (Noise(), {}, "without being told a label"),
    ):
        with pytest.raises(ValueError, match=message):
            augment.wanted_labels(model, **{"per_label": 2, **asked})


def test_the_file_holds_each_label_as_a_person(painter, tmp_path):
    """The painter paints its label, so that what a face was asked for can be read from it."""
    model = painter("classes")
    wanted = augment.augment(model, tmp_path / "new.h5", 3, interpolated=4, seed=2, progress=False)
    faces = load(tmp_path / "new.h5", image_size=4)
    assert len(faces) == 21 and list(faces.identity_names) == wanted.names
    colours = np.asarray(faces.images[np.arange(21)])[:, 0, 0] / 255
    np.testing.assert_allclose(colours, wanted.vectors[wanted.persons], atol=0.01)
    assert faces.labelled("identity").labels.names[:3] == model.label_names
    whole = augment.MadeFaces(model, wanted.vectors[wanted.persons], seed=2)
    np.testing.assert_array_equal(whole[0:21][7:9], whole[7:9])  # however the portions are cut


def test_attributes_become_a_table(painter, tmp_path):
    model = painter("attributes")
    wanted = augment.augment(model, tmp_path / "new.h5", 2, progress=False)
    faces = load(tmp_path / "new.h5", image_size=4)
    assert wanted.names == ["none of them", "Eyeglasses", "Male", "Smiling"]
    np.testing.assert_array_equal(faces.attributes.to_numpy() > 0, wanted.vectors[wanted.persons] > 0)
