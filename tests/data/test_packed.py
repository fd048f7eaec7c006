"""The packed format: round trip, lazy reading, damaged files, and that a failure loses nothing."""

import os
import pickle

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_faces.data import Faces, load, write_packed


def pixels(count=7, height=8, width=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.fixture
def labelled():
    count = 7
    names = [f"père/{i}.jpg" for i in range(count)]
    return Faces(
        pixels(count),
        names,
        attributes=pd.DataFrame({"Male": [1, -1] * 3 + [1], "Smiling": [-1] * count}, dtype=np.int8, index=names),
        identities=np.arange(count) % 3,
        identity_names=["Ann", "Bob", "Çiğdem"],
        partition=[0, 0, 0, 1, 1, 2, 2],
    )


def test_everything_comes_back(labelled, tmp_path):
    path = labelled.save(tmp_path / "faces.h5")
    back = load(path, image_size=None)
    np.testing.assert_array_equal(back.images[:], labelled.images)
    assert back.names == labelled.names and back.identity_names == labelled.identity_names
    pd.testing.assert_frame_equal(back.attributes, labelled.attributes)
    np.testing.assert_array_equal(back.identities, labelled.identities)
    np.testing.assert_array_equal(back.partition, labelled.partition)
    assert back.identities.dtype == np.int64 and back.partition.dtype == np.int8
    with h5py.File(path) as file:
        assert file.attrs["format"] == b"keras_faces" and file.attrs["version"] == 1
        assert file["images"].chunks[1:] == (8, 8, 3)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 40),
    size=st.integers(1, 9),
    data=st.data(),
    memory_mb=st.sampled_from([0, 0.0005, 1]),
)
def test_any_pictures_in_any_order(tmp_path, count, size, data, memory_mb):
    images = pixels(count, size, size, seed=count)
    text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
    names = data.draw(st.lists(text, min_size=count, max_size=count))
    faces = load(Faces(images, names).save(tmp_path / "x.h5"), None, memory_mb=memory_mb)
    assert faces.names == names
    numbers = data.draw(st.lists(st.integers(-count, count - 1), max_size=20))
    for _ in range(2):  # the second time from memory
        np.testing.assert_array_equal(faces.images[numbers], images[np.array(numbers, int)])
        np.testing.assert_array_equal(faces.images[1:-1], images[1:-1])
        np.testing.assert_array_equal(faces.images[count - 1], images[count - 1])
    with pytest.raises(IndexError, match=f"picture {count} does not exist"):
        faces.images[count]


def test_size_crop_and_count_apply_while_reading(tmp_path):
    images = pixels(5, 109, 89)
    path = Faces(images).save(tmp_path / "frames.hdf5")
    np.testing.assert_array_equal(load(path, 89).images[:], images[:, 20:])
    np.testing.assert_array_equal(load(path, 89, crop="center").images[:], images[:, 10:99])
    assert load(path, 16, count=2).images[:].shape == (2, 16, 16, 3)
    assert load(path, 16, count=2).names == ["000000", "000001"]
    with pytest.raises(ValueError, match=r"89×109, not square.*image_size"):
        load(path, None)


def test_reading_survives_pickling_and_forking(labelled, tmp_path):
    faces = load(labelled.save(tmp_path / "x.h5"), None, memory_mb=0)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(faces.images))[3], labelled.images[3])
    if hasattr(os, "fork"):
        import multiprocessing

        with multiprocessing.get_context("fork").Pool(1) as pool:
            np.testing.assert_array_equal(pool.apply(faces.images.__getitem__, (2,)), labelled.images[2])
    np.testing.assert_array_equal(faces.images[4], labelled.images[4])


class Failing:
    """Pictures of which the second portion cannot be read."""

    shape, dtype = (3, 2000, 2000, 3), np.uint8

    def __getitem__(self, key):
        if key.start:
            raise OSError(28, "No space left on device")
        return np.zeros((1, 2000, 2000, 3), np.uint8)


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failed_write_leaves_the_older_file(labelled, tmp_path, error, monkeypatch):
    path = labelled.save(tmp_path / "x.h5")
    before = path.read_bytes()
    if error is KeyboardInterrupt:
        monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write_packed(path, pixels(3), ["a", "b", "c"])
    else:
        with pytest.raises(OSError, match=r"x\.h5 could not be written \(.*No space left.*nothing was changed"):
            write_packed(path, Failing(), ["a", "b", "c"], progress=False)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.h5"]


def test_full_disk(tmp_path):
    """The operating system refuses to let the file grow: what a full disk does, at the moment of HDF5's choice."""
    resource = pytest.importorskip("resource")
    if not hasattr(os, "fork"):
        pytest.skip("the limit is set in a forked process")
    import signal
    import subprocess
    import sys

    program = (
        "import sys, numpy as np\n"
        "from keras_faces.data import Faces\n"
        "Faces(np.full((40, 64, 64, 3), 7, np.uint8)).save(sys.argv[1])\n"
    )

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    path = tmp_path / "x.h5"
    path.write_bytes(b"older")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", program, path], preexec_fn=limit, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 1 and "could not be written" in ended.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["x.h5"] and path.read_bytes() == b"older"


def test_write_refuses_other_extensions_and_missing_folders(labelled, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.h5 or \.hdf5"):
        labelled.save(tmp_path / "faces.npz")
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        labelled.save(tmp_path / "nowhere" / "faces.h5")


@pytest.mark.parametrize("name", ["names", "identities", "partition", "attributes"])
def test_write_refuses_labels_of_another_length(tmp_path, name):
    labels = {"names": list("abc"), name: list("ab") if name == "names" else np.zeros(2, int)}
    if name == "attributes":
        labels[name] = pd.DataFrame({"Male": [1, -1]})
    with pytest.raises(ValueError, match=rf"x\.h5: {name} has 2 entries for 3 images"):
        write_packed(tmp_path / "x.h5", pixels(3), **labels)
    assert not list(tmp_path.iterdir())


def test_file_cut_short_or_of_another_kind(labelled, tmp_path):
    data = labelled.save(tmp_path / "x.h5").read_bytes()
    for cut in (0, 100, len(data) // 2, len(data) - 10):
        (tmp_path / "cut.h5").write_bytes(data[:cut])
        with pytest.raises(ValueError, match=r"cut\.h5 cannot be read as an HDF5 file"):
            load(tmp_path / "cut.h5")
    (tmp_path / "text.h5").write_text("not HDF5 at all" * 100)
    with pytest.raises(ValueError, match=r"text\.h5 cannot be read as an HDF5 file"):
        load(tmp_path / "text.h5")


def replaced(name, value):
    def change(file):
        if name in file:
            del file[name]
        if value is not None:
            file[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced("images", None), "has no dataset 'images'; it has: attributes, identities"),
        (replaced("images", np.zeros((7, 8, 8, 3), np.float32)), r"must be uint8 .* not float32 \(7, 8, 8, 3\)"),
        (replaced("images", np.zeros((7, 8, 8), np.uint8)), r"must be uint8 .* not uint8 \(7, 8, 8\)"),
        (replaced("images", np.zeros((0, 8, 8, 3), np.uint8)), "N ≥ 1"),
        (replaced("names", ["a", "b"]), "'names' has 2 entries for 7 images"),
        (replaced("names", np.arange(7)), "'names' must be a list of texts"),
        (replaced("identities", np.zeros(6, int)), "'identities' has 6 entries for 7 images"),
        (replaced("identities", np.full(7, 3)), "'identities' has numbers from 3 to 3"),
        (replaced("identities", np.zeros(7)), "'identities' must be integers"),
        (replaced("attributes", np.zeros((7, 2), np.int8)), "needs an HDF5 attribute 'names'"),
        (replaced("attributes", np.zeros(7, np.int8)), "'attributes' must be integers in 2-D"),
        (replaced("partition", np.zeros(8, np.int8)), "'partition' has 8 entries for 7 images"),
        (replaced("partition", np.full(7, -3)), "'partition' holds -3; it may hold 0"),
        (replaced("partition", np.full(7, 300)), "'partition' holds numbers from 300 to 300"),
        (lambda file: file["attributes"].attrs.create("names", 5), "needs an HDF5 attribute 'names' .* not 1"),
        (lambda file: file["attributes"].attrs.create("names", ["A", "A"]), "two attributes are called 'A'"),
        (lambda file: file.attrs.modify("version", 2), "version 2 of the packed format; update keras_faces"),
        (lambda file: file.attrs.create("version", "one"), "its version is 'one', which is no number"),
        (lambda file: file.attrs.create("version", [1, 2]), "its version is .*, which is no number"),
    ],
)
def test_wrong_datasets_are_named(labelled, tmp_path, change, message):
    path = labelled.save(tmp_path / "x.h5")
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(ValueError, match=message) as caught:
        load(path, None)
    assert str(path) in str(caught.value)


def test_a_plain_file_with_images_alone_is_read(tmp_path):
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file["images"] = pixels(3)
    faces = load(tmp_path / "plain.h5", None)
    assert len(faces) == 3 and faces.attributes is None and faces.identities is None


@pytest.mark.parametrize("shape", [(10**11, 16, 16, 3), (64, 10**5, 10**5, 3)])
def test_pictures_that_a_file_only_claims_are_not_looked_for(tmp_path, shape):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("images", shape, np.uint8, chunks=(1, 16, 16, 3))
    with pytest.raises(ValueError, match=f"should hold {shape[0]:,} pictures of .* but only 0 bytes"):
        load(tmp_path / "x.h5", 16, count=8)


def test_of_a_few_faces_only_their_labels_are_read(labelled, tmp_path):
    with h5py.File(labelled.save(tmp_path / "x.h5"), "a") as file:
        file["partition"][3:] = 9  # would be refused
    assert load(tmp_path / "x.h5", None, count=3).names == labelled.names[:3]
