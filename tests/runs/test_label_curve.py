"""What labels are worth: both nets are trained from the same weights, on what they may see, and judged alike."""

import numpy as np
import pandas
import pytest

import keras_faces as kf
from keras_faces.data import Faces
from keras_faces.data.labels import Labels
from keras_faces.runs import label_curve

OPTIONS = {"width": 4, "latent_dim": 5, "d_learning_rate": 2e-3, "dropout": 0.0}


@pytest.fixture
def faces(photographs):
    """The 48 pictures; "b" are those whose red is above the middle."""
    red = photographs[..., 0].mean(axis=(1, 2))
    vectors = np.eye(2, dtype="float32")[(red > np.median(red)).astype(int)]
    return Faces(photographs, labels=Labels("classes", ("a", "b"), vectors))


def test_the_curve_has_a_row_a_number_and_seed(faces, tmp_path):
    told = []
    table = label_curve.label_curve(faces, faces, [4], 6, 16, seeds=(0, 1), tell=told.append, **OPTIONS)
    assert table[["labels", "seed"]].to_numpy().tolist() == [[4, 0], [4, 1]] and len(told) == 2
    assert table[["sgan", "alone"]].to_numpy().min() >= 0 and table[["sgan", "alone"]].to_numpy().max() <= 1
    assert (table["commonest"] == 0.5).all()
    kf.plots.save(label_curve.curve(table, "red"), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_alone_it_learns_from_the_labelled_faces_only(faces, values):
    """G stands still, the output of "fake" gets no gradient, and other faces without a label change nothing."""
    few = faces.with_labels_of(8, seed=1)
    kept = few.labels.vectors.any(axis=1)
    others = Faces(np.where(kept[:, None, None, None], faces.images, 0).astype("uint8"), labels=few.labels)
    trained = []
    for data in (few, others):
        model = kf.models.build("sgan", 16, seed=3, label_names=("a", "b"), **OPTIONS)
        generator, last = values(model.generator.variables), model.discriminator.layers[-1]
        fake_before = values([last.kernel])[0][:, -1]
        label_curve.train_alone(model, data, iterations=40, batch_size=16, seed=1)
        for old, new in zip(generator, values(model.generator.variables), strict=True):
            np.testing.assert_array_equal(old, new)
        np.testing.assert_array_equal(values([last.kernel])[0][:, -1], fake_before)
        trained.append(values(model.discriminator.trainable_variables))
    for one, other in zip(*trained, strict=True):
        np.testing.assert_array_equal(one, other)
    labelled = faces.take(np.flatnonzero(kept))
    assert label_curve.accuracy(model.discriminator, labelled) == 1.0


def test_accuracy_is_the_share_in_the_right_class(faces):
    model = kf.models.build("sgan", 16, seed=3, label_names=("a", "b"), **OPTIONS)
    last = model.discriminator.layers[-1]
    last.kernel.assign(np.zeros(last.kernel.shape))
    last.bias.assign(np.array([1.0, 0.0, 5.0], "float32"))  # always "a", however fake it looks
    assert label_curve.accuracy(model.discriminator, faces) == 0.5


def test_different_classes_are_refused(faces, photographs):
    other = Faces(photographs, labels=Labels("classes", ("x", "y"), faces.labels.vectors))
    for first, second in ((faces, other), (Faces(photographs), faces)):
        with pytest.raises(ValueError, match="the same classes"):
            label_curve.label_curve(first, second, [4])


def test_several_seeds_are_drawn_as_points_and_their_mean():
    table = pandas.DataFrame({"labels": [10, 10, 40, 40], "seed": [0, 1, 0, 1], "commonest": 0.6})
    table = table.assign(sgan=[0.7, 0.9, 0.9, 1.0], alone=[0.5, 0.7, 0.8, 0.9])
    axes = label_curve.curve(table).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [80, 95])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [60, 85])
