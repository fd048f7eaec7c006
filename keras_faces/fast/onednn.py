"""oneDNN, TensorFlow's fast operations for x86 processors: switched on where TensorFlow leaves it off.

TensorFlow uses oneDNN by itself only on processors with VNNI or bfloat16 units. With AVX2 or AVX-512 alone, a training
step in float32 takes 0.3 to 0.6 of its processor time with oneDNN (``docs/speed.md``). TensorFlow reads the choice from
the environment variable ``TF_ENABLE_ONEDNN_OPTS`` when it is imported; what the user has set there stays.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTING = "TF_ENABLE_ONEDNN_OPTS"
CPUINFO = Path("/proc/cpuinfo")
BY_ITSELF = {"avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16"}  # with one of these, TensorFlow has it on
BFLOAT16 = {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16", "svebf16"}
# What oneDNN can be limited to by ONEDNN_MAX_CPU_ISA that has no bfloat16 units.
WITHOUT_BFLOAT16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI"}
NOTES = (b"oneDNN custom operations are on", b"All log messages before absl::InitializeLog()")


def prefer(cpuinfo: Path = CPUINFO) -> bool:
    """Switch oneDNN on for a TensorFlow that is imported later, if the processor has AVX2.

    Returns
    -------
    bool
        Whether this call has switched it on: not against the user's setting, and not once TensorFlow is there.
    """
    if SETTING in os.environ or "tensorflow" in sys.modules or "avx2" not in flags(cpuinfo):
        return False
    os.environ[SETTING] = "1"
    return True


@contextmanager
def without_notes() -> Iterator[None]:
    """Hold back the notes on oneDNN that TensorFlow writes to the terminal while it is imported.

    No setting of TensorFlow's keeps them back. Everything else that is written meanwhile appears at the end.
    """
    if "tensorflow" in sys.modules or not is_on():
        yield
        return
    import tempfile  # not when the package is imported

    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, AttributeError):  # no terminal and no file behind it
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held:
                if not any(note in line for note in NOTES):
                    os.write(2, line)


def is_on(cpuinfo: Path = CPUINFO) -> bool:
    """Return whether TensorFlow uses oneDNN on this processor."""
    setting = os.environ.get(SETTING)
    return bool(BY_ITSELF & flags(cpuinfo)) if setting is None else setting.lower() in ("1", "true")


def has_bfloat16(cpuinfo: Path = CPUINFO) -> bool | None:
    """Return whether the processor has units for bfloat16 that oneDNN may use; ``None``: the system does not tell."""
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in WITHOUT_BFLOAT16:
        return False
    found = flags(cpuinfo)
    return bool(BFLOAT16 & found) if found else None


def flags(cpuinfo: Path = CPUINFO) -> set[str]:
    """Return the processor's features as Linux names them; empty on other systems."""
    try:
        with open(cpuinfo, encoding="utf-8", errors="replace") as lines:
            return next(
                (set(line.partition(":")[2].split()) for line in lines if line.startswith(("flags", "Features"))), set()
            )
    except OSError:
        return set()
