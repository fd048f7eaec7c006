"""`load` and `Faces`: one object for every kind of source."""

import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from keras_faces.data import Faces, load


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "photographs"
    place.mkdir()
    for number in range(4):
        cv2.imwrite(str(place / f"{number}.png"), np.full((8, 8, 3), 60 * number, np.uint8))
    return place


def test_drawn_faces_follow_count_size_and_seed():
    faces = load("drawn", 16, count=12, seed=4)
    assert len(faces) == 12 and faces.images[:].shape == (12, 16, 16, 3) and faces.image_size == 16
    assert len(faces.names) == 12 and len(faces.attributes) == 12 and len(faces.identities) == 12
    assert set(np.unique(faces.attributes.to_numpy())) <= {-1, 1}
    np.testing.assert_array_equal(load("drawn", 16, count=12, seed=4).images[:], faces.images[:])
    assert (load("drawn", 16, count=12, seed=5).images[:] != faces.images[:]).any()
    assert "12 faces of 16×16 from drawings" in repr(faces)


def test_drawn_faces_stay_within_the_memory_bound():
    bound = 5 * 16 * 16 * 3 / 2**20
    faces = load("drawn", 16, count=12, memory_mb=bound)
    np.testing.assert_array_equal(faces.images[::-1], load("drawn", 16, count=12).images[::-1])
    assert faces.images.kept_bytes == 5 * 16 * 16 * 3


def test_drawn_faces_can_be_packed(tmp_path):
    faces = load("drawn", 16, count=6)
    back = load(faces.save(tmp_path / "drawn.h5"), 16)
    np.testing.assert_array_equal(back.images[:], faces.images[:])
    assert back.attributes.equals(faces.attributes) and (back.identities == faces.identities).all()


def test_source_that_does_not_exist_says_what_is_there(folder):
    with pytest.raises(FileNotFoundError, match=r"photogrphs does not exist; .* holds: photographs\..*\"drawn\""):
        load(folder.parent / "photogrphs")
    with pytest.raises(FileNotFoundError, match=r"0\.png, 1\.png"):
        load(folder / "deep" / "er")


def test_source_of_no_kind(folder):
    with pytest.raises(ValueError, match=r"0\.png is neither a folder nor a packed file"):
        load(folder / "0.png")
    with pytest.raises(TypeError, match="source=None"):
        load(None)


@pytest.mark.parametrize(
    "arguments",
    [{"image_size": 0}, {"image_size": 6.5}, {"count": 0}, {"count": -3}, {"memory_mb": -1}, {"memory_mb": np.nan}],
)
def test_arguments_out_of_range_are_named(folder, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        load(folder, **arguments)


@pytest.mark.parametrize("source", ["drawn", "folder"])
def test_only_a_packed_file_has_a_size_of_its_own(folder, source):
    with pytest.raises(ValueError, match="image_size=None"):
        load(folder if source == "folder" else source, None)


def test_fingerprint_changes_with_the_data_and_with_nothing_else(folder, tmp_path):
    first = load(folder, 16).fingerprint()
    assert load(folder, 16, memory_mb=0, progress=False).fingerprint() == first
    moved = folder.rename(tmp_path / "moved")
    assert load(moved, 16).fingerprint() == first
    others = [
        load(moved, 8).fingerprint(),
        load(moved, 16, count=3).fingerprint(),
        load(moved, 16, crop="none").fingerprint(),
        load("drawn", 16, count=4).fingerprint(),
        load("drawn", 16, count=4, seed=1).fingerprint(),
    ]
    cv2.imwrite(str(moved / "2.png"), np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8))
    others.append(load(moved, 16).fingerprint())
    (moved / "2.png").rename(moved / "2b.png")
    others.append(load(moved, 16).fingerprint())
    assert len({first, *others}) == len(others) + 1


def test_an_array_can_be_faces():
    faces = Faces(np.zeros((3, 4, 5, 3), np.uint8))
    assert faces.names == ["000000", "000001", "000002"] and "3 faces of 5×4" in repr(faces)
    with pytest.raises(ValueError, match=r"uint8 \(N, H, W, 3\), not float64 \(3, 4, 4, 3\)"):
        Faces(np.zeros((3, 4, 4, 3)))
    with pytest.raises(ValueError, match="hold no picture"):
        Faces(np.zeros((0, 4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="names has 2 entries for 3 images"):
        Faces(np.zeros((3, 4, 4, 3), np.uint8), ["a", "b"])


def test_numpy_takes_the_images_as_an_array(folder):
    faces = load(folder, 8)
    array = np.asarray(faces.images)
    assert array.shape == (4, 8, 8, 3) and array.dtype == np.uint8
    array[:] = 0
    assert faces.images[3].max() == 180  # what one changes is a copy
    np.testing.assert_array_equal(faces.images[np.array([True, False, False, True])], faces.images[[0, 3]])
    with pytest.raises(IndexError, match="int, a slice or an int array"):
        faces.images[[0.5]]


def test_data_loads_no_framework_until_batches_are_wanted(folder):
    program = (
        "import sys\n"
        "from keras_faces import data\n"
        f"data.load({str(folder)!r}, 8)\n"
        "loaded = {'keras', 'tensorflow', 'jax', 'torch', 'matplotlib'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**_environment()})


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.mark.parametrize(
    ("shape", "dtype", "way"),
    [
        ((9, 8, 8), "uint8", "np.repeat(images[..., None], 3, axis=-1)"),
        ((9, 8, 8, 1), "uint8", "np.repeat(images, 3, axis=-1)"),
        ((9, 8, 8, 4), "uint8", "images[..., :3]"),
        ((9, 3, 8, 8), "uint8", "images.transpose(0, 2, 3, 1)"),
        ((9, 8, 8, 3), "float32", "(255 * images).round().astype(np.uint8)"),
    ],
)
def test_arrays_of_another_form_are_told_the_way(shape, dtype, way):
    images = np.zeros(shape, dtype)
    with pytest.raises(ValueError, match=re.escape(way)):
        Faces(images)
    assert len(Faces(eval(way))) == 9
