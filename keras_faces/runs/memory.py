"""Out of memory, in one sentence, whoever says it: NumPy, TensorFlow, JAX or PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = ("ResourceExhaustedError", "OutOfMemoryError")
_WORDS = ("resource_exhausted", "out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")


class OutOfMemory(RuntimeError):
    """The memory of the machine or of its GPU is not enough."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory is used up."""
    if isinstance(error, MemoryError) or type(error).__name__ in _NAMES:
        return True
    return any(words in str(error).lower() for words in _WORDS)


@contextmanager
def memory_in_words(batch_size: int, image_size: int | None) -> Iterator[None]:
    """Raise :class:`OutOfMemory` in the place of an error of any library that memory is used up."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OutOfMemory) or not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"the memory is not enough for --batch-size {batch_size} and --image-size {image_size}: "
            "take a smaller batch or smaller images, or close other programs."
        ) from error
