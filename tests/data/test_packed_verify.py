"""Checksums of packed files: any change is found, by HDF5 as it reads or by `verify_packed`; older files still read."""

import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_faces.data import Faces, load
from keras_faces.data.packed_verify import verify_packed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    images = np.random.default_rng(0).integers(0, 256, (300, 16, 16, 3), dtype=np.uint8)
    names = [f"père {i % 3}/{i}.jpg" for i in range(300)]
    return Faces(
        images,
        names,
        attributes=pd.DataFrame({"Male": [1, -1] * 150, "Smiling": [-1] * 300}, dtype=np.int8, index=names),
        identities=np.arange(300) % 3,
        identity_names=["Ann", "Bob", "Çiğdem"],
        partition=[0] * 200 + [1] * 50 + [2] * 50,
    ).save(tmp_path_factory.mktemp("packed") / "faces.h5")


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copy(whole, tmp_path / "copy.h5")


def test_a_whole_file_has_no_problem(whole):
    assert verify_packed(whole) == []


def test_sums_are_those_of_the_bytes(whole):
    import hashlib

    with h5py.File(whole) as file:
        lines = dict(reversed(line.decode().split("  ")) for line in file.attrs["sha256"])
        assert lines["images"] == hashlib.sha256(file["images"][:].tobytes()).hexdigest()
        assert lines["identities"] == hashlib.sha256(file["identities"][:].tobytes()).hexdigest()
        assert lines["identity_names"] == hashlib.sha256("Ann\0Bob\0Çiğdem\0".encode()).hexdigest()
        assert set(lines) == set(file)


def chunks(path):
    """Where the numbers and texts of the datasets lie in the file: first byte, one past the last."""
    with h5py.File(path) as file:
        for dataset in file.values():
            for number in range(dataset.id.get_num_chunks()):
                chunk = dataset.id.get_chunk_info(number)
                yield chunk.byte_offset, chunk.byte_offset + chunk.size


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_changed_bit_goes_unseen(whole, tmp_path, data):
    first, last = data.draw(st.sampled_from(list(chunks(whole))))
    changed = bytearray(whole.read_bytes())
    changed[data.draw(st.integers(first, last - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "changed.h5"
    path.write_bytes(changed)
    assert len(verify_packed(path)) == 1
    with pytest.raises(ValueError, match=r"changed\.h5: dataset .* is damaged"):
        load(path, None).images[:]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_changed_bit_of_hdf5s_own_tables_goes_unseen(whole, tmp_path, data):
    changed = bytearray(whole.read_bytes())
    inside = {byte for first, last in chunks(whole) for byte in range(first, last)}
    place = data.draw(st.integers(0, len(changed) - 1).filter(lambda byte: byte not in inside))
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "changed.h5"
    path.write_bytes(changed)
    assert verify_packed(path)


def damage(path, name):
    """Change one byte of a dataset's first chunk on disk."""
    with h5py.File(path) as file:
        place = file[name].id.get_chunk_info(0).byte_offset
    with open(path, "r+b") as file:
        file.seek(place + 9)
        byte = file.read(1)[0]
        file.seek(place + 9)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("name", ["names", "attributes", "identities", "identity_names", "partition"])
def test_damaged_labels_are_met_at_loading(copy, name):
    damage(copy, name)
    with pytest.raises(ValueError, match=rf"copy\.h5: dataset '{name}' is damaged .*; copy the file again"):
        load(copy, None)
    (problem,) = verify_packed(copy)
    assert f"copy.h5: dataset '{name}' is damaged" in problem


def test_damaged_pictures_are_met_at_reading_and_counted(copy):
    damage(copy, "images")
    faces = load(copy, None)
    assert faces.images[250].shape == (16, 16, 3)  # in another chunk
    with pytest.raises(ValueError, match=r"copy\.h5: dataset 'images' near picture 3 is damaged"):
        faces.images[3]
    (problem,) = verify_packed(copy)
    assert "(21 of 300 pictures cannot be read, counted from 0: 0, 1, 2, 3, 4, ...)" in problem


def changed(name, values):
    def change(file):
        file[name][...] = values

    return change


def added(file):
    file["partition"] = np.zeros(300, np.int8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("identities", 1), "dataset 'identities' is not as it was written: its SHA-256 sum differs"),
        (changed("images", 0), "dataset 'images' is not as it was written"),
        (changed("names", "x"), "dataset 'names' is not as it was written"),
        (lambda file: file["attributes"].attrs.modify("names", [b"a", b"b"]), "dataset 'attributes' is not as"),
        (lambda file: file.pop("identities"), "dataset 'identities' is missing"),
        (lambda file: file.pop("images"), "has no dataset 'images'"),
        (lambda file: (file.pop("partition"), file.create_group("partition")), "dataset 'partition' is no dataset"),
        (lambda file: file.attrs.pop("sha256"), "there are no checksums"),
        (lambda file: file.attrs.create("sha256", file.attrs["sha256"][:-1]), "has no checksum, so it was added later"),
    ],
)
def test_changes_are_named(copy, change, message):
    with h5py.File(copy, "a") as file:
        change(file)
    (problem,) = verify_packed(copy)
    assert message in problem and problem.startswith(str(copy))


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.h5 is not there"):
        verify_packed(tmp_path / "nothing.h5")
    (tmp_path / "text.h5").write_text("no HDF5")
    assert "cannot be read as an HDF5 file" in verify_packed(tmp_path / "text.h5")[0]


def test_files_without_checksums_are_read_as_before(tmp_path):
    """Written as version 1 was before it had checksums: texts of variable length, no filters."""
    images = np.arange(4 * 5 * 5 * 3, dtype=np.uint8).reshape(4, 5, 5, 3)
    path = tmp_path / "older.h5"
    with h5py.File(path, "w") as file:
        file.attrs["format"], file.attrs["version"] = "keras_faces", 1
        file.create_dataset("images", data=images, chunks=(1, 5, 5, 3))
        file.create_dataset("names", data=["é", "b", "c", "d"], dtype=h5py.string_dtype())
        table = file.create_dataset("attributes", data=np.ones((4, 1), np.int8))
        table.attrs.create("names", ["Smiling"], dtype=h5py.string_dtype())
        file["identities"] = np.arange(4)
    faces = load(path, None)
    np.testing.assert_array_equal(faces.images[:], images)
    assert faces.names == ["é", "b", "c", "d"] and list(faces.attributes.columns) == ["Smiling"]
    assert verify_packed(path) == [
        f"{path}: there are no checksums, so whether it is as it was written cannot be told; pack it anew"
    ]
