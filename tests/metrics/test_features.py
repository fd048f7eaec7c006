"""Features: each kind's numbers against the network or the formula behind them, boxes, sizes, and what is refused."""

import keras
import numpy as np
import pytest

from keras_faces.metrics import features as room
from keras_faces.metrics.features.base import BOXES, Features, check_box
from keras_faces.metrics.features.file import FileFeatures
from keras_faces.metrics.features.inception import InceptionFeatures
from keras_faces.metrics.features.pixels import PixelFeatures
from keras_faces.metrics.features.resize import cropped, resize


@pytest.fixture
def faces():
    return np.random.default_rng(5).integers(0, 256, (30, 20, 20, 3), dtype="uint8")


class Corner(Features):
    """The first pixel's colours."""

    title, dimension = "corner", 3

    def describe(self, images):
        return images[:, 0, 0]


# ------------------------------------------------------------------------------------------------ resize and boxes


def test_shrinking_averages_and_keeps_fractions():
    images = np.zeros((1, 4, 4, 3), "uint8")
    images[0, 0, 0] = 3
    small = resize(images, 2)
    assert small.dtype == np.float32
    assert small[0, 0, 0, 0] == pytest.approx(0.75)  # not rounded to 1
    assert small[0, 1, 1, 0] == 0


def test_growing_stays_within_grey_levels_and_same_size_changes_nothing(faces):
    grown = resize(faces, 33)
    assert grown.shape == (30, 33, 33, 3) and 0 <= grown.min() and grown.max() <= 255
    np.testing.assert_array_equal(resize(faces, 20), faces)


def test_a_frame_is_squeezed():
    flat = np.full((2, 10, 30, 3), 77, "uint8")
    np.testing.assert_allclose(resize(flat, 20), 77.0)


def test_the_celeba_box_is_rows_37_to_96_and_columns_15_to_74_of_the_frame():
    frame = np.zeros((1, 109, 89, 3), "uint8")
    frame[0, :, :, 0] = np.arange(109)[:, None]
    frame[0, :, :, 1] = np.arange(89)[None]
    face = cropped(frame[:, 20:], BOXES["celeba-face"])[0]
    assert face.shape == (60, 60, 3)
    assert (face[0, 0, 0], face[-1, 0, 0]) == (37, 96)
    assert (face[0, 0, 1], face[0, -1, 1]) == (15, 74)


def test_a_thin_box_keeps_a_pixel(faces):
    assert cropped(faces, (0.99, 1.0, 0.5, 0.5001)).shape == (30, 1, 1, 3)


@pytest.mark.parametrize("box", ["0.5,0.1,0,1", "a,b,c,d", "0,1,0", (0, 1, 0, 1.5), (float("nan"), 1, 0, 1), 3, "nose"])
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(ValueError, match="TOP,BOTTOM,LEFT,RIGHT"):
        check_box(box)


# ------------------------------------------------------------------------------------------------ base


def test_the_box_is_in_the_name_and_in_the_numbers(faces):
    whole, part = Corner(20), Corner(10, box="0.5,1,0.5,1")
    assert whole.name == "corner"
    assert part.name == "corner, rows 50%–100% and columns 50%–100% of the image"
    assert "10×10" in part.resize
    np.testing.assert_array_equal(whole(faces, batch_size=7), faces[:, 0, 0])
    np.testing.assert_array_equal(part(faces, batch_size=7), faces[:, 10, 10])


@pytest.mark.parametrize(
    "images", [np.zeros((2, 4, 4, 3)), np.zeros((4, 4, 3), "uint8"), np.zeros((2, 4, 4, 1), "uint8")]
)
def test_only_uint8_rgb_is_described(images):
    with pytest.raises(ValueError, match="uint8"):
        Corner(4)(images)


def test_features_without_classes_name_the_way_out(faces):
    with pytest.raises(ValueError, match="keras-faces classify"):
        Corner(4).probabilities(faces)


# ------------------------------------------------------------------------------------------------ pixels


def test_pixels_are_a_principal_component_analysis(faces):
    from sklearn.decomposition import PCA

    found = PixelFeatures(components=4, image_size=20)
    found.fit(faces)
    wanted = PCA(4, svd_solver="full").fit_transform(faces.reshape(30, -1) / 255)
    np.testing.assert_allclose(np.abs(found(faces)), np.abs(wanted), atol=2e-3)
    assert found.name == "pixels (PCA, 4 components, fitted on 30 images)"
    assert found.dimension == 4


def test_all_components_keep_the_distances_between_pictures(faces):
    found = PixelFeatures(components=64, image_size=20)
    found.fit(faces)
    assert found.dimension == 30  # no more components than images
    numbers, pixels = found(faces), faces.reshape(30, -1) / 255
    for i, j in ((0, 1), (3, 20)):
        assert np.linalg.norm(numbers[i] - numbers[j]) == pytest.approx(np.linalg.norm(pixels[i] - pixels[j]), rel=1e-4)


def test_pixels_are_fitted_again_the_same_way(faces):
    first, second = PixelFeatures(8), PixelFeatures(8)
    for one in (first, second):
        one.fit(faces)
    np.testing.assert_array_equal(first(faces), second(faces))


def test_pixels_need_real_images_first(faces):
    with pytest.raises(RuntimeError, match="fit"):
        PixelFeatures()(faces)
    with pytest.raises(ValueError, match="two or more"):
        PixelFeatures().fit(faces[:1])


# ------------------------------------------------------------------------------------------------ Keras models


def saved(tmp_path, *stages, size=8, name="net.keras"):
    network = keras.Sequential([keras.layers.Input((size, size, 3)), *stages])
    network.save(tmp_path / name)
    return tmp_path / name


def test_a_map_is_averaged_and_pixels_come_in_minus_one_to_one(tmp_path):
    path = saved(tmp_path, keras.layers.AveragePooling2D(4))
    found = FileFeatures(path)
    image = np.zeros((1, 8, 8, 3), "uint8")
    image[..., 1] = 255
    np.testing.assert_allclose(found(image), [[-1, 1, -1]], atol=1e-6)
    assert found.dimension == 3 and "net.keras" in found.name and "from -1 to 1" in found.name


def test_a_model_that_scales_by_itself_gets_grey_levels(tmp_path):
    path = saved(tmp_path, keras.layers.Rescaling(2.0), keras.layers.Flatten())
    image = np.full((1, 8, 8, 3), 100, "uint8")
    assert FileFeatures(path)(image)[0, 0] == 200
    assert FileFeatures(path, value_range=(0, 1))(image)[0, 0] == pytest.approx(200 / 255)


def test_a_layer_can_be_chosen(tmp_path):
    path = saved(tmp_path, keras.layers.Flatten(), keras.layers.Dense(5, name="five"), keras.layers.Dense(2))
    assert FileFeatures(path, layer="five").dimension == 5
    assert FileFeatures(path).dimension == 2


@pytest.mark.parametrize("size", [(8, 8, 1), (8, 4, 3), (None, None, 3), (6,)])
def test_models_that_read_something_else_are_refused(tmp_path, size):
    network = keras.Sequential([keras.layers.Input(size), keras.layers.Activation("relu")])
    network.save(tmp_path / "net.keras")
    with pytest.raises(ValueError, match="square RGB"):
        FileFeatures(tmp_path / "net.keras")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "net.keras").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="net.keras: it cannot be read"):
        room.get(f"file:{tmp_path / 'net.keras'}")


def test_inception_says_how_to_bring_its_weights(monkeypatch, tmp_path):
    def offline(*args, **kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "InceptionV3", offline)
    with pytest.raises(RuntimeError, match="inception_v3_weights_tf_dim_ordering_tf_kernels.h5.*models.*pixels"):
        room.get("inception")
    (tmp_path / "weights.h5").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="does not hold the weights"):
        InceptionFeatures(tmp_path / "weights.h5")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        InceptionFeatures(tmp_path / "nowhere.h5")


def test_inception_gives_the_input_of_its_last_layer(monkeypatch, tmp_path):
    """Keras's network with weights of chance in place of ImageNet's."""
    keras.utils.set_random_seed(0)
    network = keras.applications.InceptionV3(weights=None)
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda weights: network)
    found = room.get("inception")
    assert (found.name, found.dimension, found.image_size) == ("Inception-Keras", 2048, 299)
    images = np.random.default_rng(0).integers(0, 256, (2, 30, 30, 3), dtype="uint8")
    numbers, shares = found(images), found.probabilities(images)
    assert numbers.shape == (2, 2048) and shares.shape == (2, 1000) == (2, len(found.class_names))
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-4)
    kernel, bias = network.layers[-1].get_weights()
    logits = numbers @ kernel + bias
    wanted = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(shares, wanted / wanted.sum(1, keepdims=True), rtol=1e-3)


# ------------------------------------------------------------------------------------------------ get


def test_get_reads_the_box_behind_the_at(tmp_path):
    assert room.get("pixels@celeba-face").box == BOXES["celeba-face"]
    assert room.get("pixels@0,0.5,0,1").box == (0, 0.5, 0, 1)
    assert room.get("pixels", box=(0, 1, 0, 0.5)).box == (0, 1, 0, 0.5)
    (tmp_path / "a@b").mkdir()
    path = saved(tmp_path / "a@b", keras.layers.Flatten())
    assert room.get(f"file:{path}").box is None
    assert room.get(f"file:{path}@celeba-face").box == BOXES["celeba-face"]


def test_get_keeps_an_object_and_refuses_what_is_none():
    own = Corner(4)
    assert room.get(own) is own
    with pytest.raises(ValueError, match="when it is made"):
        room.get(own, box="celeba-face")
    with pytest.raises(ValueError, match="callable, with a name"):
        room.get(3)


@pytest.mark.parametrize(
    "spec", ["pixel", "pixels:3", "inception:x", "classifier:", "classifier", "file:", "", "@celeba-face"]
)
def test_unknown_features_are_told_the_kinds(spec):
    with pytest.raises(ValueError, match='"pixels", "inception", "classifier:RUN", "file:PATH"'):
        room.get(spec)


def test_paths_that_lead_nowhere(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        room.get("file:nowhere.keras")
    with pytest.raises(ValueError, match="no classifier's run"):
        room.get(f"classifier:{tmp_path}")
    with pytest.raises(ValueError, match="name a box already"):
        room.get("pixels@celeba-face", box="celeba-face")
