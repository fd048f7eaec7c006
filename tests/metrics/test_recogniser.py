"""The recogniser against NumPy's arithmetic on a small folder of its kind, and on real people where there are any."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from keras_faces.metrics import features as room
from keras_faces.metrics.features import recogniser

DATA = Path(__file__).resolve().parents[2].parent / "shared/data"
BLOCKS = {
    "stem": (3, 2, 7),
    "conv2_1": (2, 2, 3),
    "conv5_down": (2, 5, 3),
    "conv5_1": (5, 5, 3),
    "conv5_down_out": (5, 5, 3),
}


def arrays():
    """Names, shapes and values of a net with the recogniser's structure and a few channels."""
    random = np.random.default_rng(3)
    found = {}
    for block, (before, filters, side) in BLOCKS.items():
        for part in ("",) if block == "stem" else ("/conv1", "/conv2"):
            incoming = filters if part == "/conv2" else before
            found[f"{block}{part}/conv/filters"] = random.normal(0, 0.3, (side, side, incoming, filters))
            found[f"{block}{part}/conv/bias"] = random.normal(0, 0.1, filters)
            found[f"{block}{part}/scale/weights"] = random.uniform(0.5, 1.5, filters)
            found[f"{block}{part}/scale/biases"] = random.normal(0, 0.1, filters)
    found["fc"] = random.normal(0, 1, (5, 6))
    return {name: value.astype("float32") for name, value in found.items()}


def write(folder: Path, values: dict) -> dict:
    """Write the arrays as face-api.js does, kernels as uint8 in two files; returns what can be read back."""
    folder.mkdir()
    entries, data, readable = [], b"", {}
    for name, value in values.items():
        entry = {"name": name, "shape": list(value.shape), "dtype": "float32"}
        if name.endswith("filters"):
            least, scale = float(value.min()), float((value.max() - value.min()) / 255)
            numbers = np.rint((value - least) / scale).astype("uint8")
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": least}
            data += numbers.tobytes()
            readable[name] = numbers * scale + least
        else:
            data += value.tobytes()
            readable[name] = value.astype("float64")
        entries.append(entry)
    (folder / "net-shard1").write_bytes(data[:1000])
    (folder / "net-shard2").write_bytes(data[1000:])
    manifest = [{"weights": entries, "paths": ["net-shard1", "net-shard2"]}]
    (folder / "net-weights_manifest.json").write_text(json.dumps(manifest))
    return readable


def by_hand(values: dict, image: np.ndarray) -> np.ndarray:
    """dlib's network for one image (150, 150, 3), step by step in float64."""

    def convolution(x, name, stride):
        kernel = values[f"{name}/conv/filters"]
        reach = len(kernel)
        if stride == 1:
            x = np.pad(x, [(reach // 2, reach // 2)] * 2 + [(0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(x, (reach, reach), axis=(0, 1))[::stride, ::stride]
        y = np.einsum("hwcij,ijcf->hwf", windows, kernel) + values[f"{name}/conv/bias"]
        return y * values[f"{name}/scale/weights"] + values[f"{name}/scale/biases"]

    x = np.maximum(convolution((image - recogniser.MEAN) / 256, "stem", 2), 0)
    x = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))[::2, ::2].max((3, 4))
    for block in list(BLOCKS)[1:]:
        down = "down" in block
        y = convolution(np.maximum(convolution(x, f"{block}/conv1", 2 if down else 1), 0), f"{block}/conv2", 1)
        if down:
            side = len(x) // 2
            x = x[: 2 * side, : 2 * side].reshape(side, 2, side, 2, -1).mean((1, 3))
            total = np.zeros((side, side, y.shape[2]))
            total[: len(y), : len(y)] += y
            total[:, :, : x.shape[2]] += x
        else:
            total = x + y
        x = np.maximum(total, 0)
    return x.mean((0, 1)) @ values["fc"]


def test_the_network_is_dlibs(tmp_path):
    values = write(tmp_path / "net", arrays())
    images = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), dtype="uint8")
    found = room.get(f"file:{tmp_path / 'net'}")
    assert found.dimension == 6 and found.name == "dlib ResNet face recogniser (net, 6 numbers)"
    wanted = [by_hand(values, image) for image in images]
    np.testing.assert_allclose(found(images), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("box", [None, "0.25,0.75,0.5,1"])
def test_as_a_model_of_scaled_images_it_gives_the_same(tmp_path, box):
    """Of images that the box and the resize leave as they are: those of its own side."""
    write(tmp_path / "net", arrays())
    found = room.get(f"file:{tmp_path / 'net'}", box=box)
    side = 150 if box is None else 300
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype="uint8")
    model = found.as_model(side)
    assert model.output_shape == (None, 6)
    given = model(images / np.float32(127.5) - 1, training=False)
    np.testing.assert_allclose(given, found(images), rtol=1e-4, atol=1e-4)


def test_wrong_folders_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty must hold one .*manifest.json, and holds nothing"):
        room.get(f"file:{tmp_path / 'empty'}")
    write(tmp_path / "short", arrays())
    (tmp_path / "short/net-shard2").write_bytes(b"")
    with pytest.raises(ValueError, match="Fetch the folder anew"):
        room.get(f"file:{tmp_path / 'short'}")
    write(tmp_path / "long", arrays())
    (tmp_path / "long/net-shard2").write_bytes((tmp_path / "long/net-shard2").read_bytes() + b"more")
    with pytest.raises(ValueError, match="the manifest says"):
        room.get(f"file:{tmp_path / 'long'}")
    write(tmp_path / "other", {name: value for name, value in arrays().items() if "conv5_1/conv2" not in name})
    with pytest.raises(ValueError, match="conv5_1/conv2.*not dlib's"):
        room.get(f"file:{tmp_path / 'other'}")


@pytest.mark.skipif(not (DATA / "models").is_dir(), reason=f"needs the recogniser and CelebA in {DATA}")
def test_it_finds_people_in_celeba():
    """15 people with four pictures each at half size: with the tight box, nearly all find themselves."""
    import cv2

    lines = (DATA / "celeba_89x109/identity_CelebA.txt").read_text().split("\n")
    person = {line.split()[0]: int(line.split()[1]) for line in lines if line}
    often = [who for who, count in Counter(person.values()).items() if count >= 4][:15]
    names = [name for name, who in person.items() if who in often]
    frames = [cv2.imread(str(DATA / "celeba_89x109/img_align_celeba" / name))[20:, :, ::-1] for name in names]
    net = room.get(f"file:{DATA / 'models/dlib_resnet_vladmandic'}@celeba-face")
    found = net(np.stack(frames))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    likeness = found @ found.T
    np.fill_diagonal(likeness, -1)
    who = np.array([person[name] for name in names])
    assert (who[likeness.argmax(1)] == who).mean() > 0.9


@pytest.mark.parametrize("name", ["{outside}", "../secret.bin", "sub/secret.bin", ".."])
def test_a_manifest_names_files_of_its_own_folder_alone(tmp_path, name):
    (tmp_path / "secret.bin").write_bytes(bytes(8))
    (tmp_path / "net" / "sub").mkdir(parents=True)
    (tmp_path / "net" / "sub" / "secret.bin").write_bytes(bytes(8))
    entry = {"name": "a", "shape": [2], "dtype": "float32"}
    group = {"paths": [name.format(outside=tmp_path / "secret.bin")], "weights": [entry]}
    (tmp_path / "net" / "x-weights_manifest.json").write_text(json.dumps([group]))
    with pytest.raises(ValueError, match="files of its own folder alone|a folder; give a file"):
        recogniser.read_weights(tmp_path / "net")


def test_pipes_and_manifests_without_weights_are_told(tmp_path):
    os.mkfifo(tmp_path / "shard")
    for groups, message in (
        ([{"paths": ["shard"], "weights": []}], "a pipe or a device"),
        ([{"paths": [], "weights": []}], "it names no weights"),
    ):
        (tmp_path / "x-weights_manifest.json").write_text(json.dumps(groups))
        with pytest.raises(ValueError, match=message):
            recogniser.read_weights(tmp_path)
    with pytest.raises(KeyError, match="conv32_down"):
        recogniser.network({"fc": np.zeros((2, 2))})
