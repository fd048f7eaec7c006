"""Label consistency with a classifier of one's own making, whose answers are known."""

import numpy as np
import pytest

from keras_faces import metrics
from keras_faces.data.labels import Labels
from keras_faces.metrics.consistency import consistency_by_label
from keras_faces.metrics.features.base import Features


class Colours(Features):
    """Says of an image what its first pixel says: the brightest channel's class, or each channel above 127."""

    title, dimension, class_names = "colours", 3, ("red", "green", "blue")

    def __init__(self, kind="classes", accuracy=None):
        super().__init__(4)
        self.label_kind, self.accuracy = kind, accuracy

    def describe(self, images):
        return images[:, 0, 0] / 255

    def probabilities(self, images, batch_size=64):
        first = self.describe(images.astype("float32"))
        return first / first.sum(1, keepdims=True) if self.label_kind == "classes" else first


def painted(colours):
    return np.tile(np.array(colours, "uint8")[:, None, None], (1, 4, 4, 1))


SEEN = painted([[200, 10, 10], [200, 10, 10], [10, 200, 10], [10, 10, 200]])  # red, red, green, blue


def test_top_1_counts_the_images_whose_class_was_asked_for():
    score = metrics.label_consistency(SEEN, np.array([0, 1, 1, 2]), Colours())
    assert float(score) == 0.75 and score.name == "label_consistency"
    assert score.low < 0.75 < score.high and score.n_fake == 4 and score.n_real == 0
    assert score.features == "colours" and "4×4" in score.resize and not score.warnings


def test_labels_may_be_in_another_order_or_fewer():
    names = ("blue", "red")
    vectors = np.array([[0, 1], [0, 1], [0, 1], [1, 0]], "float32")
    assert float(metrics.label_consistency(SEEN, Labels("classes", names, vectors), Colours())) == 0.75


def test_batches_give_the_same(monkeypatch):
    batches = [(SEEN[:3], None), (SEEN[3:], None)]
    assert float(metrics.label_consistency(batches, np.array([0, 1, 1, 2]), Colours())) == 0.75


def test_attributes_are_counted_one_by_one():
    images = painted([[200, 200, 10], [10, 10, 10]])
    wanted = Labels("attributes", ("blue", "red"), np.array([[1, 1], [0, 0]], "float32"))
    score = metrics.label_consistency(images, wanted, Colours("attributes"))
    assert score.name == "attribute_consistency"
    assert float(score) == 0.75  # blue is missed in the first image


def test_by_label_a_system_that_ignores_its_labels_is_caught():
    images = painted([[200, 10, 10]] * 6)
    wanted = Labels("attributes", ("red",), np.array([[1], [1], [1], [1], [0], [0]], "float32"))
    scores = consistency_by_label(images, wanted, Colours("attributes"))
    assert {name: (float(score), score.n_fake) for name, score in scores.items()} == {"red": (1, 4), "not red": (0, 2)}
    by_class = consistency_by_label(SEEN, np.array([0, 1, 1, 1]), Colours())
    assert {name: float(score) for name, score in by_class.items()} == {"red": 1, "green": pytest.approx(1 / 3)}


def test_a_poor_classifier_is_a_warning():
    numbers = np.array([0, 0, 1, 2])
    assert "60.0%" in metrics.label_consistency(SEEN, numbers, Colours(accuracy=0.6)).warnings[0]
    assert not metrics.label_consistency(SEEN, numbers, Colours(accuracy=0.95)).warnings


@pytest.mark.parametrize(
    "labels, features, message",
    [
        (np.array([0, 1]), Colours(), "4 images with 2 labels"),
        (np.array([0, 1, 2, 3]), Colours(), "from 0 to 2"),
        (np.array([0.0, 1, 2, 1]), Colours(), "vectors of 0 and 1"),
        (np.full((4, 3), 0.5), Colours("attributes"), "vectors of 0 and 1"),
        (np.zeros((4, 3)), Colours(), "no label"),
        (Labels("classes", ("red", "pink"), np.eye(2, dtype="float32")[[0, 1, 0, 1]]), Colours(), "does not know pink"),
        (Labels("attributes", ("red",), np.ones((4, 1), "float32")), Colours(), "trained on classes"),
        (np.array([0, 1, 1, 2]), "pixels", "knows no classes"),
    ],
)
def test_what_does_not_fit_is_told(labels, features, message):
    with pytest.raises(ValueError, match=message):
        metrics.label_consistency(SEEN, labels, features)
