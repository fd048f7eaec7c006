"""What the tests share: narrow networks that train in seconds, and a few faces."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_FACES_CACHE", str(Path(tempfile.gettempdir()) / "keras_faces_tests"))

import numpy as np
import pytest

NARROW = {
    "slides-v1": {"dense": 8, "filters": (8, 4)},
    "slides-v2": {"filters": (16, 8, 8, 4)},
    "gan": {"width": 8},
    "dcgan": {"width": 4},
    "linear": {"divisor": 16},
    "linear-tanh": {"divisor": 16},
    "conv": {"width": 4},
    "multistage": {"width": 4},
    "lsgan": {"width": 4},
    "wgan": {"width": 4, "d_steps": 2},
    "wgan-gp": {"width": 4, "d_steps": 2},
    "stylegan": {"width": 2, "mapping_depth": 2},
    "sngan": {"width": 4},
    "sagan": {"width": 4},
    "pggan": {"width": 2},
    "cgan": {"width": 4},
    "acgan": {"width": 4},
    "sgan": {"width": 4},
    "infogan": {"width": 4, "categories": (3,), "numbers": 2},
    "stackgan": {"width": 4, "components": 3, "text_dim": 16, "first_iterations": 1, "text_iterations": 2},
    "fm-gan": {"width": 4},
    "fm-cgan": {"width": 4, "classifier_first": 1},
    "cvae-gan": {"width": 4, "classifier_first": 1},
    "ip-gan": {"width": 4, "convolutions": 1, "recogniser_iterations": 1},
    "vae": {"width": 4},
    "pca": {},
    "cvae": {"width": 4},
    "vaegan": {"width": 4},
    "aae": {"width": 4, "units": 8},
    "pixelcnn": {"width": 6, "depth": 2, "components": 2},
    "pixelrnn": {"width": 6, "depth": 1, "components": 2},
    "pix2pix": {"width": 4},
    "cyclegan": {"width": 4, "blocks": 1, "pool": 12, "label_names": ("without", "with")},
}
NAMES = ("Smiling", "Male", "Eyeglasses")  # labels of the systems that learn from some


def pytest_collection_modifyitems(items):
    """The longest tests, those on other backends, begin first: as the last ones they would keep one core waiting."""
    items.sort(key=lambda item: item.path.name != "test_backends.py")


@pytest.fixture(autouse=True, scope="session")
def nothing_is_measured():
    """A training chooses by rule: float32 on a CPU, whatever this machine is fast at."""
    from keras_faces.training import choices

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choices, "measured", lambda here: {})
        yield


@pytest.fixture
def narrow():
    """``narrow(name, **options)``: a system at 16×16 with a few channels, and three attributes if it wants labels."""

    def build(name, image_size=16, seed=3, **options):
        import keras_faces as kf

        kinds = getattr(kf.models.lesson(name), "LABELS", ())
        labels = {"label_names": NAMES, "label_kind": kinds[-1]} if kinds else {}
        asked = {"latent_dim": 5, **labels, **NARROW[name], **options}
        return kf.models.build(name, image_size=image_size, seed=seed, **asked)

    return build


@pytest.fixture
def labels_of():
    """``labels_of(name, count)``: a tuple of the labels (count, n) of so many photographs; empty if it wants none."""

    def rows(name, count):
        import keras_faces as kf

        wanted = getattr(kf.models.lesson(name), "LABELS", ())
        n = len(NARROW[name].get("label_names", NAMES))
        return (np.eye(n, dtype="float32")[np.arange(count) % n],) if wanted else ()

    return rows


@pytest.fixture
def painter():
    """``painter(kind)``: a conditional system whose G paints its label: red, green, blue for the three of `NAMES`."""

    def build(kind="attributes", **rule):
        from keras import Model, layers

        from keras_faces.training.conditional import ConditionalModel

        noise, label, image = layers.Input((5,)), layers.Input((3,)), layers.Input((4, 4, 3))
        colour = layers.Rescaling(2.0, -1.0)(layers.Reshape((1, 1, 3))(label))
        score = layers.Dense(1)(layers.Concatenate()([layers.Flatten()(image), label]))
        generator = Model([noise, label], layers.UpSampling2D(4)(colour))
        return ConditionalModel(
            generator, Model([image, label], score), label_names=NAMES, label_kind=kind, name="painter", **rule
        )

    return build


@pytest.fixture
def photographs():
    """48 smooth uint8 pictures, 16×16."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (48, 4, 4, 3))
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype("uint8")


@pytest.fixture
def values():
    """``values(variables)``: copies of what they hold now."""
    import keras

    return lambda variables: [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]
