"""What the tests share: narrow networks that train in seconds, and a few faces."""

import os
import signal
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_FACES_CACHE", str(Path(tempfile.gettempdir()) / "keras_faces_tests"))

import numpy as np
import pytest

import keras_faces  # noqa: F401  before Keras, as in a program: it chooses oneDNN

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
    "infogan": {"width": 4, "categories": (3,), "continuous_dim": 2},
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


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run the tests marked `full` as well")


def pytest_collection_modifyitems(config, items):
    """Skip what only ``--all`` runs. The longest tests, on other backends, begin first, or one core would wait."""
    if not config.getoption("--all"):
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason="only in ./run test --all"))
    items.sort(key=lambda item: item.path.name != "test_backends.py")


@pytest.fixture(autouse=True, scope="session")
def float32_on_every_processor():
    """A training on a CPU chooses float32, whatever units the processor has."""
    from keras_faces.fast import autotune

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autotune, "cpu_precision", lambda here: ("float32", ""))
        yield


@pytest.fixture(autouse=True, scope="session")
def no_figures_of_runs():
    """A run draws losses.png and evolution.png at each epoch's end; in a test that takes half of the time."""
    from keras_faces.runs import train

    draw = train.draw_pictures
    train.draw_pictures = lambda *args, **kwargs: None
    yield draw
    train.draw_pictures = draw


@pytest.fixture(autouse=True)
def figures_of_runs(request, monkeypatch, no_figures_of_runs):
    """Only the runs of tests that have the mark ``figures`` draw them."""
    if request.node.get_closest_marker("figures"):
        monkeypatch.setattr("keras_faces.runs.train.draw_pictures", no_figures_of_runs)


@pytest.fixture(autouse=True, scope="session")
def ctrl_c():
    """Ctrl-C interrupts, also where the suite runs in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def narrow():
    """``narrow(name, **options)``: a system at 16×16 with a few channels, and three labels if it wants some."""

    def build(name, image_size=16, seed=3, **options):
        import keras_faces as kf

        kinds = getattr(kf.models.lesson(name), "LABELS", ())
        labels = {"label_names": NAMES, "label_kind": kinds[-1]} if kinds else {}
        asked = {"latent_dim": 5, **labels, **NARROW[name], **options}
        return kf.models.build(name, image_size=image_size, seed=seed, **asked)

    return build


@pytest.fixture(scope="session")
def labels_of():
    """``labels_of(name, count)``: a tuple of the labels (count, n) of so many photographs; empty if it wants none."""

    def rows(name, count):
        import keras_faces as kf

        wanted = getattr(kf.models.lesson(name), "LABELS", ())
        n = len(NARROW[name].get("label_names", NAMES))
        return (np.eye(n, dtype="float32")[np.arange(count) % n],) if wanted else ()

    return rows


@pytest.fixture(scope="session")
def trained_once(narrow, photographs, labels_of):
    """Models that are trained once in a session, see ``trained``."""
    made = {}

    def train(name):
        if name not in made:
            model = made[name] = narrow(name)
            model.fit(photographs[:32], *labels_of(name, 32), batch_size=16, epochs=1, verbose=0, shuffle=False)
            model.synchronise()
            model.train_function = None  # its graph takes memory
        return made[name]

    return train


@pytest.fixture
def trained(trained_once, values):
    """``trained(name)``: a narrow system after two iterations of ``fit``, for tests that change nothing of it."""
    before = {}

    def give(name):
        model = trained_once(name)
        before.setdefault(name, values(model.trainable_variables))
        return model

    yield give
    for name, weights in before.items():
        for old, new in zip(weights, values(trained_once(name).trainable_variables), strict=True):
            np.testing.assert_array_equal(old, new, err_msg=f"this test changed the shared {name}")


@pytest.fixture
def eager():
    """Trace nothing in this test: for a few narrow steps that is quicker, and the state is the same."""
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    warnings.filterwarnings("ignore", "Even though the `tf.config")  # tf.data has graphs of its own
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def painter():
    """``painter(kind)``: a conditional system whose G paints its label: red, green, blue for the three of `NAMES`."""

    def build(kind="attributes", **rule):
        from keras import Model, layers

        from keras_faces.training.conditional import ConditionalGAN

        noise, label, image = layers.Input((5,)), layers.Input((3,)), layers.Input((4, 4, 3))
        colour = layers.Rescaling(2.0, -1.0)(layers.Reshape((1, 1, 3))(label))
        score = layers.Dense(1)(layers.Concatenate()([layers.Flatten()(image), label]))
        generator = Model([noise, label], layers.UpSampling2D(4)(colour))
        return ConditionalGAN(
            generator, Model([image, label], score), label_names=NAMES, label_kind=kind, name="painter", **rule
        )

    return build


@pytest.fixture(scope="session")
def photographs():
    """48 smooth uint8 pictures, 16×16."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (48, 4, 4, 3))
    images = coarse.repeat(4, axis=1).repeat(4, axis=2).astype("uint8")
    images.setflags(write=False)  # all tests see the same ones
    return images


@pytest.fixture(scope="session")
def values():
    """``values(variables)``: copies of what they hold now."""
    import keras

    return lambda variables: [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]


@pytest.fixture(scope="session")
def moved():
    """``moved(before, after)``: for each array of ``values`` whether it changed."""
    return lambda before, after: [bool((old != new).any()) for old, new in zip(before, after, strict=True)]
