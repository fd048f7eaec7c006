"""cyclegan: cycles of identities cost nothing, the losses in NumPy, who moves, and which way it goes."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.data import Faces
from keras_faces.data.labels import Labels
from keras_faces.models.translation import cyclegan
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.train import train_run
from keras_faces.training import checkpoint

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor


def times(factor):
    """A network that multiplies an image by a number."""
    image = keras.layers.Input((16, 16, 3))
    layer = keras.layers.Conv2D(3, 1, use_bias=False)
    network = keras.Model(image, layer(image))
    layer.kernel.assign(factor * np.eye(3, dtype="float32")[None, None])
    return network


def made_of(forward, backward, **options):
    judges = (cyclegan.discriminator(16, 4) for _ in range(2))
    model = cyclegan.CycleGAN(forward, next(judges), backward, next(judges), loss="lsgan", pool=4, **options)
    model.compile()
    return model


@pytest.fixture(scope="module")
def domains():
    """Dark faces (X) and bright ones (Y) in turns, uint8 (16, 16, 16, 3)."""
    random = np.random.default_rng(0)
    images = random.integers(0, 100, (16, 16, 16, 3))
    images[1::2] += 150
    return images.astype("uint8")


def test_cycles_of_identities_cost_nothing(domains):
    model = made_of(times(1.0), times(1.0))
    x, y = (model.preprocess(domains[part::2]) for part in (0, 1))
    assert float(model.cycles(x, y, y, x)) == 0.0 and float(model.changes(x, y)) == 0.0
    there_and_back = made_of(times(0.5), times(2.0))
    assert float(there_and_back.cycles(x, y, 2.0 * y, 0.5 * x)) == 0.0
    wanted = 0.5 * np.abs(to_numpy(y)).mean() + 1.0 * np.abs(to_numpy(x)).mean()  # ½y − y, and 2x − x
    assert float(there_and_back.changes(x, y)) == pytest.approx(wanted, rel=1e-5)


def test_losses_and_who_moves(domains, values, moved):
    model = made_of(times(0.5), times(3.0), cycle=4.0, identity=0.25)
    x, y = (model.preprocess(domains[part::2]) for part in (0, 1))
    of_y = [to_numpy(model.discriminator(images)) for images in (y, 0.5 * x)]
    of_x = [to_numpy(model.discriminator_x(images)) for images in (x, 3.0 * y)]
    cycles = 0.5 * np.abs(to_numpy(x)).mean() + 0.5 * np.abs(to_numpy(y)).mean()
    changes = 0.5 * np.abs(to_numpy(y)).mean() + 2.0 * np.abs(to_numpy(x)).mean()
    d_before, g_before = values(model.d_weights()), values(model.g_weights())
    numbers = model.train_generators(x, y)
    paid = 0.5 * np.mean(of_y[1] ** 2) + 0.5 * np.mean(of_x[1] ** 2)
    assert float(numbers["cycle_loss"]) == pytest.approx(cycles, rel=1e-4)
    assert float(numbers["g_loss"]) == pytest.approx(paid + 4 * (cycles + 0.25 * changes), rel=1e-3)
    assert not any(moved(d_before, values(model.d_weights()))) and all(moved(g_before, values(model.g_weights())))
    g_before = values(model.g_weights())
    numbers = model.train_discriminators(x, y, 3.0 * y, 0.5 * x)
    wanted = sum(0.5 * np.mean((real - 1) ** 2) + 0.5 * np.mean((fake + 1) ** 2) for real, fake in (of_y, of_x))
    assert float(numbers["d_loss"]) == pytest.approx(wanted, rel=1e-3)
    assert all(moved(d_before, values(model.d_weights()))) and not any(moved(g_before, values(model.g_weights())))


def test_residual_generators_begin_with_no_change_at_all(domains):
    model = kf.models.build("cyclegan", image_size=16, width=4, blocks=1)
    np.testing.assert_array_equal(model.translate(domains), domains)
    model.step(tensor(domains))
    there = model.translate(domains)
    assert (there != domains).any() and np.abs(there.astype(int) - domains).max() < 50
    painted = kf.models.build("cyclegan", image_size=16, width=4, blocks=1, residual=False)
    assert (painted.translate(domains) != domains).mean() > 0.9
    assert painted.count_params() == model.count_params()


def test_translations_and_what_is_remembered(domains):
    model = made_of(times(0.5), times(2.0), label_names=("dark", "bright"))
    model.step(tensor(domains))
    np.testing.assert_array_equal(model.photographs(), domains[0::2])
    np.testing.assert_array_equal(model.photographs(model.bank_y), domains[1::2])
    (_, before), (name, there), (_, back) = model.rows(domains[:2])
    assert name == "to bright" and there.shape == back.shape == before.shape
    np.testing.assert_array_equal(model.translate(domains, "X"), model.translate(domains, "dark"))
    assert (model.translate(domains, "X") != model.translate(domains, "Y")).mean() > 0.5
    assert len(model.remembered_rows(3)) == 6
    with pytest.raises(ValueError, match=r"goes to X \(dark\) or Y \(bright\), not to 'Z'"):
        model.translate(domains, "Z")
    with pytest.raises(ValueError, match="translates uint8 images"):
        model.translate(domains[:, :8])


def test_it_learns_from_two_domains_in_turns_alone(narrow, domains):
    model = narrow("cyclegan")
    labels = np.eye(2, dtype="float32")[[0, 0, 1, 1] * 4]
    for asked in ((domains, labels), (domains,), (Faces(domains).batches(4),)):
        with pytest.raises(ValueError, match="two domains in turns"):
            model.fit(*asked, verbose=0)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"label_names": ("a", "b", "c")}, "between two classes, not between a, b, c"),
        ({"label_kind": "attributes"}, "between two classes"),
        ({"cycle": -1.0}, "cycle=-1.0"),
        ({"average": 0.9}, "cyclegan has no such option.*average"),
        ({"image_size": 18}, "cannot make 18×18"),
    ],
)
def test_what_it_cannot_be_built_with(options, message):
    with pytest.raises(ValueError, match=message):
        kf.models.build("cyclegan", **{"image_size": 16, "width": 4, "blocks": 1, **options})


def test_from_a_checkpoint_it_goes_on_bit_for_bit_pools_and_all(narrow, domains, values, tmp_path):
    def step(model, part):
        model.step(tensor(domains[part : part + 8]))

    model, other = narrow("cyclegan", pool=6), narrow("cyclegan", pool=6)
    step(model, 0)
    step(model, 8)
    checkpoint.save(tmp_path / "checkpoint.h5", model, epoch=1, iteration=2)
    step(model, 4)
    checkpoint.load(tmp_path / "checkpoint.h5", other)
    step(other, 4)
    for one, again in zip(values(model.variables), values(other.variables), strict=True):
        np.testing.assert_array_equal(one, again)
    assert int(to_numpy(other.pool_x.count.value)) == 6


def test_a_run_sees_both_domains_and_shows_both_translations(tmp_path, domains, eager):
    order = np.r_[0:16:2, 1:4:2]  # eight dark ones, two bright ones, one after the other
    labels = Labels("classes", ("dark", "bright"), np.eye(2, dtype="float32")[order % 2])
    config = RunConfig("cyclegan", image_size=16, epochs=1, batch_size=8, options={"width": 2, "blocks": 1, "pool": 0})
    config.label_names, config.label_kind = ["dark", "bright"], "classes"
    model = train_run(RunFolder(tmp_path), config, Faces(domains[order], labels=labels))
    assert model.photographs().max() < 100 and model.photographs(model.bank_y).min() >= 150
    (grid,) = (tmp_path / "translations").glob("*.png")
    assert grid.name == "epoch0001-000002.png"
    assert len(kf.plots.untile(kf.plots.read_picture(grid), 16)) == 6 * 8
