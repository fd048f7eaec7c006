"""The ring's data and measures, and the three rules on the same networks."""

import keras
import numpy as np
import pytest

from keras_faces.ring import model as ring
from keras_faces.ring.step_loop import scan_steps

to_numpy = keras.ops.convert_to_numpy


def test_points_lie_on_the_ring_and_cover_it_evenly():
    data = ring.Ring(20.0, 30.0)
    points = to_numpy(data.points(20_000, seed=3))
    radius = np.hypot(*(points - 100.0).T)
    assert radius.min() >= 20.0 - 1e-3 and radius.max() <= 30.0 + 1e-3
    assert np.mean(radius < 25.0) == pytest.approx((25**2 - 20**2) / (30**2 - 20**2), abs=0.02)  # by area
    assert data.coverage(points) == 1.0 and data.distances(points).max() < 1e-3


def test_coverage_and_distance_of_points_made_by_hand():
    data = ring.Ring(20.0, 30.0)
    np.testing.assert_allclose(data.distances([[100, 100], [125, 100], [100, 160], [0, 100]]), [20, 0, 30, 70])
    angle = np.radians(np.arange(0, 90, 0.5))
    quarter = 100.0 + 25.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert data.coverage(quarter) == 0.25
    far = 100.0 + 60.0 * np.stack([np.cos(4 * angle), np.sin(4 * angle)], axis=1)
    assert data.coverage(far) == 0.0
    assert data.coverage(np.concatenate([quarter, np.repeat(far, 20, axis=0)])) == 0.0  # too few of so many


@pytest.mark.parametrize("radii", [(30, 20), (20, 20), (-1, 5), (0, float("inf")), (float("nan"), 5)])
def test_no_ring(radii):
    with pytest.raises(ValueError, match="0 <= inner < outer"):
        ring.Ring(*radii)


def test_the_networks_are_the_sources_and_the_three_begin_alike():
    models = [ring.build(rule, seed=2) for rule in ring.RULES]
    units = [layer.units for layer in models[0].generator.layers]
    assert units == [32, 64, 64, 2] and [layer.units for layer in models[0].discriminator.layers] == [32, 64, 64, 1]
    for model in models[1:]:
        for first, second in zip(models[0].trainable_variables, model.trainable_variables, strict=False):
            np.testing.assert_array_equal(to_numpy(first), to_numpy(second))
    assert [model.loss_name for model in models] == ["saturating", "wgan", "non-saturating"]
    assert float(to_numpy(models[0].optimizer.generator.learning_rate)) == pytest.approx(5e-5)
    with pytest.raises(ValueError, match="gan, wgan, fm-gan"):
        ring.build("lsgan")


def test_many_steps_in_one_call_are_the_same_training():
    data, ends = ring.Ring(), []
    for steps in (1, 6):
        model = ring.build("fm-gan", learning_rate=1e-3, seed=1)
        call = scan_steps(model, lambda model=model: model.step(data.points(8, model.noise_seed)), steps)
        numbers = [call() for _ in range(6 // steps)]
        assert set(numbers[0]) == set(model.METRICS)
        ends.append((model, np.mean([each["d_loss"] for each in numbers])))
    (one, one_loss), (many, many_loss) = ends
    assert one_loss == pytest.approx(many_loss, rel=1e-4)
    for first, second in zip(one.variables, many.variables, strict=True):
        np.testing.assert_allclose(to_numpy(first), to_numpy(second), rtol=1e-3, atol=1e-5)
    assert one.optimizer.generator_iterations() == many.optimizer.generator_iterations() == 6


@pytest.mark.parametrize("rule", ring.RULES)
def test_a_step_on_points_moves_both_networks_and_wgan_clips(rule, values):
    model, data = ring.build(rule, seed=1), ring.Ring()
    before = values(model.trainable_variables)
    for _ in range(2):
        numbers = model.step(data.points(8, model.noise_seed))
    assert all(np.isfinite(float(number)) for number in numbers.values())
    changed = [bool((old != new).any()) for old, new in zip(before, values(model.trainable_variables), strict=True)]
    assert sum(changed) >= len(changed) - 1  # a difference of means says nothing of the critic's last bias
    largest = max(np.abs(weight).max() for weight in values(model.discriminator.trainable_variables))
    assert (largest <= 0.01 + 1e-7) == (rule == "wgan")


def test_no_steps():
    with pytest.raises(ValueError, match="one step at least"):
        scan_steps(ring.build("gan"), dict, 0)
