"""Memory that is used up is told in one sentence, whichever library says it."""

import numpy as np
import pytest

from keras_faces.runs.memory import OutOfMemory, is_out_of_memory, memory_in_words


class ResourceExhaustedError(Exception):
    """TensorFlow's, by its name."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ResourceExhaustedError("OOM when allocating tensor"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 17179869184 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_it_names_batch_and_size(error):
    with pytest.raises(OutOfMemory, match="--batch-size 64 and --image-size 256: take a smaller batch"):
        with memory_in_words(64, 256):
            raise error


def test_other_errors_pass():
    with pytest.raises(KeyError):
        with memory_in_words(64, 256):
            raise KeyError("x")
    assert not is_out_of_memory(ValueError("a width of 3"))


def test_numpy_says_it():
    with pytest.raises(OutOfMemory):
        with memory_in_words(1, 1):
            np.empty(2**60, "uint8")
