"""What holds for every system: who learns when, what stands still, saving, and both precisions."""

import keras
import numpy as np
import pytest

import keras_faces as kf

SYSTEMS = [name for name in kf.models.available() if not name.startswith("slides")]  # these: tests/training/test_gan.py
OWN = (
    "pggan",
    "sgan",
    "infogan",
    "cvae-gan",
    "stackgan",
    "ip-gan",
    "pca",
    "vae",
    "cvae",
    "vaegan",
    "aae",
    "pixelcnn",
    "pixelrnn",
    "pix2pix",
    "cyclegan",
)  # steps of another form, with tests of their own


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name not in OWN])
def test_d_learns_while_g_stands_still_and_the_other_way_round(narrow, photographs, values, labels_of, name, moved):
    model, labels = narrow(name), [keras.ops.convert_to_tensor(rows) for rows in labels_of(name, 8)]
    real = model.preprocess(photographs[:8])
    fake = keras.ops.stop_gradient(model.generator(model.typical_inputs(8), training=False))
    d_before, g_before = values(model.discriminator.trainable_variables), values(model.generator.variables)
    for _ in range(2):  # a first layer may stand still while the last one is all zeros
        model.train_discriminator(real, fake, *labels)
    weights = model.discriminator.trainable_variables
    flags = moved(d_before, values(weights))
    if model.pair.critic or model.loss_name == "hinge":  # the bias of D's score cancels in a difference of means
        still = [place for place, weight in enumerate(weights) if tuple(weight.shape) == (1,)]
        flags = [flag for place, flag in enumerate(flags) if place not in still]
    assert all(flags)
    assert not any(moved(g_before, values(model.generator.variables)))

    d_before, g_before = values(model.discriminator.variables), values(model.generator.trainable_variables)
    for _ in range(2):
        model.train_generator(model.noise(8), *labels)
    assert not any(moved(d_before, values(model.discriminator.variables)))
    assert all(moved(g_before, values(model.generator.trainable_variables)))


@pytest.mark.parametrize("name", SYSTEMS)
def test_trained_saved_and_loaded_it_samples_the_same(trained, tmp_path, name):
    model = trained(name)
    assert all(np.isfinite(values).all() for values in model.history.history.values())
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    faces = model.sample(3, seed=1)
    assert faces.shape == (3, 16, 16, 3) and faces.dtype == np.uint8
    np.testing.assert_array_equal(faces, again.sample(3, seed=1))
    assert model.get_config().keys() == again.get_config().keys()


@pytest.mark.parametrize("name", SYSTEMS)
def test_faces_do_not_depend_on_those_drawn_beside_them(trained, name):
    model = trained(name)
    many, few = model.sample(70, seed=2), model.sample(2, seed=2)
    assert np.abs(many[:2].astype(int) - few).max() <= 1  # the last bit may differ with the batch


@pytest.mark.parametrize("name", kf.models.available())
def test_in_16_bits_no_bias_has_a_gradient_of_16_bit_sums(narrow, name):
    """Keras's own layers leave the sum to TensorFlow unless they are accelerated, see ``fast/bias.py``."""
    every = narrow(name, precision="bfloat16")._flatten_layers()
    short = [layer for layer in every if layer.compute_dtype != "float32" and getattr(layer, "bias", None) is not None]
    short = [layer for layer in short if "call" not in vars(layer)]
    assert not [layer.path for layer in short if type(layer).__module__.startswith("keras.")]


def test_a_run_folder_is_loaded_by_its_model_and_a_missing_one_is_named(trained, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.keras: no such file.*--resume"):
        kf.models.load(tmp_path)
    model = trained("gan")
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(kf.models.load(str(tmp_path)).sample(2), model.sample(2))
    with pytest.raises(FileNotFoundError, match="nothing: no such file"):
        kf.models.load(tmp_path / "nothing")
