"""The backend is the one asked for, else the first that is installed; one that is missing is told with its command."""

import sys

import pytest

from keras_faces.runs import backend


@pytest.fixture
def installed(monkeypatch):
    """``installed("jax")``: a process that has only these backends, and has not loaded Keras."""

    def have(*names):
        monkeypatch.delenv("KERAS_BACKEND", raising=False)
        monkeypatch.delitem(sys.modules, "keras", raising=False)
        monkeypatch.setattr(backend, "_is_installed", lambda name: name in names)

    return have


@pytest.mark.parametrize(
    ("names", "first"),
    [(("tensorflow", "jax"), "tensorflow"), (("torch", "jax"), "jax"), (("torch",), "torch"), ((), "tensorflow")],
)
def test_the_first_that_is_installed(installed, names, first):
    installed(*names)
    assert backend.backend_name() == first


def test_what_is_asked_for_comes_first(installed, monkeypatch):
    installed("tensorflow", "jax")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert backend.backend_name() == "torch" and backend.backend_name("jax") == "jax"


def test_a_missing_backend_is_told_with_the_command_that_brings_it(installed, monkeypatch):
    installed("jax")
    with pytest.raises(ValueError, match=r'torch is not installed.*pip install "keras-faces\[torch\]"'):
        backend.use_backend("torch")
    monkeypatch.setenv("KERAS_BACKEND", "mxnet")
    with pytest.raises(ValueError, match="KERAS_BACKEND=mxnet: choose from tensorflow, jax, torch"):
        backend.use_backend()
