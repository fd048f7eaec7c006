"""Several devices: the same weights as on one, and mistakes in words. Two CPU processes stand in for two machines."""

import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from keras_faces.data.batches import Batches
from keras_faces.data.mixed_batches import PartlyLabelled
from keras_faces.fast import devices

QUICK = "--xla_backend_optimization_level=0"  # compiles in half the time
TRAIN = ["train", "gan", "--data", "drawn", "--count", "16", "--image-size", "16", "--epochs", "1", "--batch-size", "8"]
TRAIN += ["--precision", "float32", "--backend", "jax", "--option", "width=8", "--option", "latent_dim=4"]

# MirroredStrategy on two halves of a CPU
HALVES = """
import tensorflow as tf, keras, numpy as np, keras_faces as kf
from keras_faces.fast.devices import connect
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [half, half])
"""

# Printed: how far the weights are from those of one device, and how they moved
MIRRORED = """
images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3)).astype("uint8")

def trained(count):
    found = connect(count)
    with found.making():
        model = kf.models.build("gan", 16, seed=3, width=8, latent_dim=4, dropout=0.0)
        before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]
    history = model.fit(images, batch_size=8, epochs=1, shuffle=False, verbose=0).history
    return before, [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables], history

before, one, history = trained(1)
_, two, mirrored = trained("all")
print(max(np.abs(a - b).max() for a, b in zip(one, two)), max(np.abs(a - b).max() for a, b in zip(one, before)))
print(history["d_loss"][0], mirrored["d_loss"][0])
"""

# Printed: how long stackgan's text encoder has learnt, how far its weights have moved, and a number of faces
SENTENCES = """
faces = kf.data.load("drawn", image_size=16, count=32).labelled("Smiling, Male")
told = {"label_names": list(faces.labels.names), "label_kind": "attributes"}
small = {"width": 4, "components": 3, "text_dim": 8, "blocks": 1}
with connect("all").making():
    model = kf.models.build("stackgan", 16, 0, **told, **small, first_iterations=1, text_iterations=2)
    before = [weight.numpy() for weight in model.text_encoder.trainable_variables]
model.fit(faces.batches(8, seed=0), epochs=1, verbose=0)
after = [weight.numpy() for weight in model.text_encoder.trainable_variables]
made = len(model.sample(2, text="a smiling man"))
print(model.text_encoder.iterations_learnt.numpy(), max(np.abs(a - b).max() for a, b in zip(before, after)), made)
"""


def python(*arguments):
    environment = {**os.environ, "XLA_FLAGS": QUICK, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, **pipes)


def finished(process):
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output[-3000:]
    return output


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def arrays(folder):
    import h5py

    found = {}
    with h5py.File(folder / "checkpoint.h5") as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return {name: value for name, value in found.items() if value.dtype == np.float32}


def test_two_processes_learn_what_one_does_with_the_whole_batch(tmp_path):
    hosts = ["--hosts", f"localhost:{free_port()},localhost:{free_port()}", "--out", tmp_path / "two"]
    pair = [python("-m", "keras_faces", *TRAIN, *hosts, "--host", k) for k in (0, 1)]
    single = python("-m", "keras_faces", *TRAIN, "--out", tmp_path / "one")
    outputs = [finished(process) for process in (*pair, single)]
    one, two = arrays(tmp_path / "one"), arrays(tmp_path / "two")
    assert one.keys() == two.keys() and len(one) > 10
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=1e-3, atol=1e-5, err_msg=name)
    assert "cut in 2 parts" in outputs[0] and "Process 0 has written" in outputs[1]


def test_two_mirrored_devices_learn_what_one_does(tmp_path):
    distance, way, loss, mirrored = map(float, finished(python("-c", HALVES + MIRRORED)).split()[-4:])
    assert distance < 1e-6 < 1e-4 < way
    assert mirrored == pytest.approx(loss, abs=1e-4)


def test_a_text_encoder_learns_on_one_device_before_two_learn_from_its_words():
    learnt, way, faces = map(float, finished(python("-c", HALVES + SENTENCES)).split()[-3:])
    assert learnt == 2 and way > 1e-4 and faces == 2


def test_the_parts_of_a_batch_are_the_batch():
    images = np.arange(24, dtype="uint8").reshape(24, 1, 1, 1)
    (whole,) = Batches(images, 8, seed=5)[1]
    parts = [Batches(images, 8, seed=5, part=(k, 2))[1][0] for k in range(2)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    with pytest.raises(ValueError, match="batch_size=9 cannot be cut in 2"):
        Batches(images, 9, part=(0, 2))


def test_the_parts_of_a_partly_labelled_batch_are_the_batch():
    images = np.arange(24, dtype="uint8").reshape(24, 1, 1, 1)
    labels = np.zeros((24, 2), "float32")
    labels[:5, 1] = 1
    whole = PartlyLabelled(images, 8, 5, labels)[1]
    parts = [PartlyLabelled(images, 8, 5, labels, part=(k, 2))[1] for k in range(2)]
    for column in range(2):
        np.testing.assert_array_equal(np.concatenate([part[column] for part in parts]), whole[column])


@pytest.mark.parametrize(
    "asked, message",
    [
        ({"count": 99}, "--devices 99: here are"),
        ({"hosts": "a:1,b:1"}, "belong together"),
        ({"host": 1}, "belong together"),
        ({"hosts": "a:1,b:1", "host": 0}, "need JAX"),
    ],
)
def test_what_is_not_there_is_told(asked, message):
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("the last message is TensorFlow's")
    with pytest.raises(ValueError, match=message):
        devices.connect(**asked)


def test_one_device_changes_nothing():
    found = devices.connect()
    assert not found.spread and devices.replicas() == 1
    found.check_batch(7)
    with pytest.raises(ValueError, match="batches of 7 cannot be cut in 2 equal parts .* take 6"):
        devices.Devices(("gpu:0", "gpu:1")).check_batch(7)


def test_each_machine_gives_as_many_devices():
    found = [SimpleNamespace(process_index=process, id=number) for process in (0, 1) for number in range(3)]
    assert [(device.process_index, device.id) for device in devices._on_each(found, 2)] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
