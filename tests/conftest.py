"""What the tests share: narrow networks that train in seconds, and a few faces."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

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
}


@pytest.fixture
def narrow():
    """``narrow(name, **options)``: a system at 16×16 with a few channels."""

    def build(name, image_size=16, seed=3, **options):
        import keras_faces as kf

        return kf.models.build(name, image_size=image_size, seed=seed, latent_dim=5, **NARROW[name], **options)

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
