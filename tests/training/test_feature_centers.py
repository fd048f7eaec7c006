"""Moving feature centres against NumPy, and who learns from them."""

import keras
import numpy as np
import pytest

from keras_faces.training import losses
from keras_faces.training.feature_centers import FeatureCenters
from keras_faces.training.gradients import value_and_grad

to_numpy = keras.ops.convert_to_numpy


def moved_by_hand(batches, labels, classes, decay):
    """The same by loops: the first batches that hold a class count alike, then the decay."""
    centres, seen = np.zeros((classes, batches[0].shape[1])), np.zeros(classes)
    for features, rows in zip(batches, labels, strict=True):
        for k in range(classes):
            members = features[rows[:, k] == 1]
            if len(members):
                keep = min(decay, seen[k] / (seen[k] + 1))
                centres[k] = keep * centres[k] + (1 - keep) * members.mean(0)
                seen[k] += 1
    return centres


@pytest.mark.parametrize("decay", [0.0, 0.6, 0.9])
def test_centres_of_classes_move_as_by_hand(decay):
    random = np.random.default_rng(0)
    centres = FeatureCenters(features=4, classes=3, decay=decay)
    batches = [random.normal(size=(5, 4)).astype("float32") for _ in range(6)]
    labels = [np.eye(4, dtype="float32")[random.integers(0, 4, 5)][:, :3] for _ in batches]  # the fourth: no class
    labels[2][:, 1] = 0.0  # nobody of class 1 here
    for features, rows in zip(batches, labels, strict=True):
        centres.update(features, rows)
    np.testing.assert_allclose(to_numpy(centres.means), moved_by_hand(batches, labels, 3, decay), atol=1e-6)


def test_one_centre_of_all_and_of_maps():
    maps = np.random.default_rng(1).normal(size=(6, 2, 2, 3)).astype("float32")
    centre = FeatureCenters(features=12)
    np.testing.assert_allclose(to_numpy(centre.update(maps))[0], maps.mean(0).ravel(), atol=1e-6)
    centre.update(maps + 1.0)
    np.testing.assert_allclose(to_numpy(centre.means)[0], maps.mean(0).ravel() + 0.5, atol=1e-6)


def test_moved_changes_nothing_and_the_gradient_is_that_of_the_batch_alone():
    centre, weight = FeatureCenters(features=2, decay=0.5), keras.Variable(np.array([1.0, 2.0], "float32"))
    for _ in range(3):
        centre.update(np.array([[4.0, 4.0]], "float32"))
    batch, wanted = np.array([[1.0, 1.0], [3.0, 3.0]], "float32"), np.array([[1.0, 0.0]], "float32")

    def loss():
        return losses.center_matching(wanted, centre.moved(keras.ops.multiply(batch, weight))[0]), None

    (value, _), (gradient,) = value_and_grad(loss, [weight], [weight, *centre.variables])
    now = 0.5 * 4.0 + 0.5 * 2.0 * np.array([1.0, 2.0])
    assert float(value) == pytest.approx(0.5 * np.sum((wanted[0] - now) ** 2))
    np.testing.assert_allclose(to_numpy(gradient), (now - wanted[0]) * 0.5 * 2.0, rtol=1e-6)
    np.testing.assert_array_equal(to_numpy(centre.means), [[4.0, 4.0]])


def test_centre_matching_has_the_plus_of_algorithm_31_and_sums_over_classes():
    real, fake = np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [3.0, 0.0]])
    assert float(losses.center_matching(real, fake)) == pytest.approx(0.5 * (1 + 4 + 9))
    assert float(losses.center_matching(real[0], real[0])) == 0.0


def test_they_are_float32_under_any_policy_and_come_back_from_their_config():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        centre = FeatureCenters(features=3, classes=2, decay=0.8)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {variable.dtype for variable in centre.variables} == {"float32"} and not centre.trainable_variables
    half = keras.ops.cast(np.full((2, 3), 257.0), "float16")
    np.testing.assert_array_equal(to_numpy(centre.update(half, np.eye(2))), np.full((2, 3), 257.0))
    assert FeatureCenters.from_config(centre.get_config()).get_config() == centre.get_config()


def test_wrong_centres():
    for wrong in ({"decay": 1.0}, {"decay": -0.1}, {"classes": 0}, {"decay": float("nan")}):
        with pytest.raises(ValueError, match="must be"):
            FeatureCenters(**{"features": 2, **wrong})
    with pytest.raises(ValueError, match="3 centers"):
        FeatureCenters(features=2, classes=3).update(np.zeros((4, 2)))
