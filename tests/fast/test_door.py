"""The one door of speed: a network in plain Keras becomes fast, stays Keras's own, and becomes plain again."""

import json
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

import keras_faces as kf
from keras_faces.fast import accelerate, is_accelerated, plain
from keras_faces.fast.door import _optimizers
from keras_faces.training.gradients import value_and_grad

if keras.backend.backend() == "torch":
    pytest.skip("on PyTorch nothing changes", allow_module_level=True)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def read(value):
    return keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))


def a_users_network(optimizer="adam"):
    """What a user may write: noise to images and back to a number, all forms in it, one network within another."""
    keras.backend.clear_session()  # names are counted anew
    keras.utils.set_random_seed(1)
    generator = [layers.Dense(4 * 4 * 6, use_bias=False), layers.Reshape((4, 4, 6)), layers.BatchNormalization()]
    generator += [layers.ReLU(), layers.UpSampling2D(), layers.Conv2D(5, 5, padding="same", activation="relu")]
    generator += [layers.Conv2DTranspose(3, 5, 2, "same", activation="tanh")]
    judge = [layers.Conv2D(4, 3, padding="same"), layers.Activation("tanh"), layers.MaxPooling2D(), layers.Flatten()]
    inputs = layers.Input((7,))
    images = keras.Sequential(generator, name="generator")(inputs)
    model = keras.Model(inputs, layers.Dense(1)(keras.Sequential(judge, name="judge")(images)))
    model.compile(optimizer, loss="mse", jit_compile=False)
    return model


def names_and_configuration(model):
    lines = []
    model.summary(print_fn=lines.append, expand_nested=True)
    weights = [(weight.path, tuple(weight.shape), weight.dtype) for weight in model.variables]
    return weights, model.count_params(), json.dumps(model.get_config()), lines, [type(layer) for layer in model.layers]


def test_weights_names_counts_and_configuration_are_unchanged(values):
    model = a_users_network()
    before, known = values(model.variables), names_and_configuration(model)
    assert not is_accelerated(model)
    assert accelerate(model) is model and is_accelerated(model) and accelerate(model) is model
    assert names_and_configuration(model) == known
    for old, new in zip(before, values(model.variables), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not is_accelerated(keras.models.clone_model(model))  # a copy is Keras's own


@pytest.mark.parametrize("optimizer", [lambda: keras.optimizers.Adam(0.01), lambda: keras.optimizers.SGD(0.01)])
def test_outputs_gradients_and_updates_are_those_of_the_plain_network(values, optimizer):
    noise, targets, found = drawn(8, 7), drawn(8, 1, seed=1), []
    for form in (plain, accelerate):
        model = form(a_users_network(optimizer()))

        def loss(model=model):
            outputs = model(noise, training=True)
            return keras.ops.mean((outputs - targets) ** 2), outputs

        before = model.get_weights()
        (_, outputs), gradients = value_and_grad(loss, model.trainable_variables, model.variables)
        model.set_weights(before)
        losses = [model.train_on_batch(noise, targets) for _ in range(3)]
        judged = model.predict(noise, verbose=0)
        found.append([read(outputs), *map(read, gradients), losses, *values(model.variables), judged])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-4)


def test_what_was_compiled_before_is_compiled_anew(monkeypatch):
    from keras_faces.fast import upsample_conv

    model, seen, form = a_users_network(), [], upsample_conv.doubled_convolution
    monkeypatch.setattr(upsample_conv, "doubled_convolution", lambda *given: seen.append(1) or form(*given))
    for switch, times in ((lambda model: None, 0), (accelerate, 1), (plain, 1)):
        switch(model)
        model.train_on_batch(drawn(8, 7), drawn(8, 1))
        assert bool(seen) == bool(times)


def test_layers_of_a_subclass_stay_as_they_are():
    class MyDense(layers.Dense):
        pass

    network = accelerate(keras.Sequential([layers.Input((3,)), MyDense(2), layers.Dense(2)]))
    assert ["call" in vars(layer) for layer in network.layers] == [False, True]


# --------------------------------------------------------------------------------------------------- whole systems


def forms_of(model):
    """The layers and the optimizers that have a fast form at present."""
    optimizers = [each for each in _optimizers(model.optimizer) if {"update_step", "adam_step"} & vars(each).keys()]
    return is_accelerated(model), optimizers


SYSTEMS = [("slides-v1", {}), ("cgan", {"precision": "float16"}), ("gan", {"stages": "rmsprop:1e-3:2,adam:2e-4"})]
SYSTEMS += [("pggan", {})]  # all its layers are of the paper, and both Adams count steps weight by weight


@pytest.mark.parametrize("name, options", SYSTEMS)
def test_plain_undoes_everything(narrow, photographs, values, labels_of, name, options):
    images, labels = photographs[:16], labels_of(name, 16)
    model, listed = narrow(name, **options), narrow(name, fast_layers=False, **options)
    fast, optimizers = forms_of(model)
    assert fast == (name != "pggan") and len(optimizers) == (2 if keras.backend.backend() == "tensorflow" else 0)
    assert forms_of(listed) == forms_of(plain(model)) == (False, [])
    for each in (model, listed):
        each.fit(images, *labels, batch_size=8, epochs=1, verbose=0, shuffle=False)
    for one, other in zip(values(model.variables), values(listed.variables), strict=True):
        np.testing.assert_array_equal(one, other)
    assert forms_of(accelerate(model)) == (fast, optimizers)


def test_an_accelerated_system_learns_what_the_plain_one_does(narrow, photographs, values):
    found = []
    for fast in (True, False):
        model = narrow("slides-v1", fast_layers=fast)
        logs = model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0, shuffle=False).history
        found.append([*(logs[name] for name in sorted(logs)), *values(model.generator.variables)])
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-3)


# ---------------------------------------------------------------------------------------------------- saved networks

# Where keras_faces cannot be imported: what each network in a folder makes of its inputs, or why it cannot be opened
ALONE = """
import sys
sys.modules["keras_faces"] = None
import keras, numpy as np, pathlib
for file in pathlib.Path(sys.argv[1]).glob("*.keras"):
    try:
        network = keras.saving.load_model(file)
        outputs = network(np.load(file.with_suffix(".inputs.npy")), training=False)
        np.save(file.with_suffix(".outputs.npy"), keras.ops.convert_to_numpy(outputs))
    except TypeError as error:
        file.with_suffix(".txt").write_text(str(error))
"""
PARTS = [("dcgan", "generator"), ("slides-v1", "generator"), ("sngan", "discriminator"), ("stylegan", "generator")]


def test_a_saved_network_opens_in_keras_or_keras_names_the_module_that_it_needs(narrow, tmp_path):
    networks = {name: getattr(narrow(name), part) for name, part in PARTS}
    inputs = {name: drawn(3, *network.inputs[0].shape[1:]) for name, network in networks.items()}
    for name, network in networks.items():
        network.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.inputs.npy", inputs[name])
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", ALONE, str(tmp_path)], check=True, env=environment)

    for name in ("dcgan", "slides-v1"):
        outputs = read(networks[name](inputs[name], training=False))
        assert is_accelerated(networks[name])
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.outputs.npy"), outputs, atol=1e-5)
    for name, module in (("sngan", "keras_faces.layers.spectral"), ("stylegan", "keras_faces.")):
        told = (tmp_path / f"{name}.txt").read_text()
        assert "Could not locate class" in told and f"'module': '{module}" in told
        again = kf.models.load(tmp_path / f"{name}.keras")  # this imports all that the course has
        assert type(again) is type(networks[name])
        for one, other in zip(networks[name].get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_in_a_whole_models_file_both_networks_are_keras_own(narrow, tmp_path):
    model, noise = narrow("dcgan"), drawn(4, 5)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        networks = json.loads(file.read("config.json"))["config"]
    assert all("keras_faces" not in json.dumps(networks[part]) for part in ("generator", "discriminator"))
    generator = kf.models.load(tmp_path / "model.keras").generator
    images = read(model.generator(noise, training=False))
    assert is_accelerated(generator)
    np.testing.assert_array_equal(read(generator(noise, training=False)), images)
    generator.save(tmp_path / "g.keras")
    again = keras.saving.load_model(tmp_path / "g.keras")
    np.testing.assert_allclose(read(again(noise, training=False)), images, atol=1e-5)
