"""What this machine trains fastest with: graph or XLA, which precision, how many threads.

The choices follow rules, which a training tells in one line when it begins:

    On 2 cores of AMD EPYC, TensorFlow runs as a graph in bfloat16.

A run writes them into its ``config.json``, so that it goes on with the same on any machine. ``docs/speed.md`` has the
measurements behind the rules. Importing this file loads no framework.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from keras_faces.fast import onednn

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
COMPILERS = ("auto", "graph", "xla")
_M_TOP_PAD, _KEPT = -2, 256 * 2**20  # malloc.h's number of the setting; bytes that each heap may keep


@dataclass(frozen=True)
class Choices:
    """What a training runs with.

    Attributes
    ----------
    precision : str
        "float32", "bfloat16" or "float16", as ``kf.models.build`` takes it.
    compiler : str
        "graph" or "xla": how TensorFlow runs the step. JAX has XLA alone, and PyTorch runs eagerly.
    threads : int
        How many cores one operation may use.
    line : str
        One sentence that tells the choices.
    """

    precision: str
    compiler: str
    threads: int
    line: str


@dataclass(frozen=True)
class Machine:
    """The hardware under one backend.

    Attributes
    ----------
    device : str
        "cpu", "gpu" or "tpu".
    name : str
        Of the processor or of the accelerator.
    cores : int
        That this process may use.
    backend : str
        "tensorflow", "jax" or "torch".
    capability : float, optional
        CUDA's compute capability, such as 9.0.
    bfloat16 : bool, optional
        Whether the processor has units for bfloat16; ``None`` where the system does not tell.
    onednn : bool, optional
        Whether TensorFlow uses oneDNN (``onednn.py``).
    """

    device: str
    name: str
    cores: int
    backend: str
    capability: float | None = None
    bfloat16: bool | None = None
    onednn: bool = False


def choose(precision: str = "auto", compiler: str = "auto") -> Choices:
    """Choose for a training on the present backend; what is not "auto" stays as it is asked for.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16", "float16"}
        Of the layers.
    compiler : {"auto", "graph", "xla"}
        How TensorFlow runs the step; the other backends ignore it.

    Returns
    -------
    Choices

    Raises
    ------
    ValueError
        For another word.
    """
    for name, asked, known in (("precision", precision, PRECISIONS), ("compiler", compiler, COMPILERS)):
        if asked not in known:
            raise ValueError(f"{name}={asked!r}: choose from {', '.join(known)}.")
    here, reason = machine(), ""
    if compiler == "auto" or here.backend != "tensorflow":
        compiler = default_compiler()
    if precision == "auto":
        precision, reason = _precision(here)
    if here.onednn and compiler == "graph":
        reason = f" with oneDNN{reason}"
    ways = {
        "tensorflow": "TensorFlow runs as a graph" if compiler == "graph" else "TensorFlow runs with XLA",
        "jax": "JAX runs with XLA",
        "torch": "PyTorch runs eagerly",
    }
    cores = f"{here.cores} core{'s' * (here.cores > 1)} of " if here.device == "cpu" else ""
    line = f"On {cores}{here.name}, {ways[here.backend]} in {precision}{reason}."
    return Choices(precision, compiler, here.cores, line)


def default_compiler() -> str:
    """Return "graph" for TensorFlow on a CPU, where XLA takes longer to compile and to run; otherwise "xla"."""
    here = machine()
    return "graph" if here.backend == "tensorflow" and here.device == "cpu" else "xla"


def _precision(here: Machine) -> tuple[str, str]:
    """The precision of the layers, and the reason in brackets."""
    if here.device == "cpu":
        return cpu_precision(here)
    if here.device == "tpu":
        return "bfloat16", ""
    return gpu_precision(here.capability)


def cpu_precision(here: Machine) -> tuple[str, str]:
    """Return bfloat16 for TensorFlow on a processor with units for it, otherwise float32, and the reason."""
    if here.bfloat16 is False:
        return "float32", " (the processor has no bfloat16 units)"
    return "bfloat16" if here.bfloat16 and here.backend == "tensorflow" else "float32", ""


def gpu_precision(capability: float | None) -> tuple[str, str]:
    """Return what NVIDIA's matrix units multiply (bfloat16 from 8.0 on, float16 from 7.0 on), and the reason."""
    if capability is None or capability < 7.0:
        return "float32", " (no matrix units for shorter numbers are known)"
    if capability < 8.0:
        return "float16", " with a loss scale (this GPU has no bfloat16 units)"
    return "bfloat16", ""


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``KERAS_FACES_CACHE``, or the system's place for caches."""
    if given := os.environ.get("KERAS_FACES_CACHE"):
        return Path(given)
    if sys.platform == "darwin":
        base = Path.home() / "Library/Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "keras_faces"


# ------------------------------------------------------------------------------------------- what is there


@cache
def machine() -> Machine:
    """Return this machine under the present backend."""
    import keras

    backend = keras.backend.backend()
    device, name, capability = {"tensorflow": _tensorflow_device, "jax": _jax_device, "torch": _torch_device}[backend]()
    if device == "cpu":
        fast = backend == "tensorflow" and onednn.is_on()
        return Machine(device, processor(), usable_cores(), backend, bfloat16=onednn.has_bfloat16(), onednn=fast)
    return Machine(device, name, usable_cores(), backend, capability)


def _tensorflow_device() -> tuple[str, str, float | None]:
    import tensorflow as tf

    if gpus := tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpus[0])
        version = details.get("compute_capability")
        return "gpu", details.get("device_name", "a GPU"), float("{}.{}".format(*version)) if version else None
    return "cpu", "", None


def _jax_device() -> tuple[str, str, float | None]:
    import jax

    device = jax.devices()[0]
    if device.platform == "cpu":
        return "cpu", "", None
    version = getattr(device, "compute_capability", None)
    return "tpu" if device.platform == "tpu" else "gpu", device.device_kind, float(version) if version else None


def _torch_device() -> tuple[str, str, float | None]:
    import torch

    if torch.cuda.is_available():
        return "gpu", torch.cuda.get_device_name(), float("{}.{}".format(*torch.cuda.get_device_capability()))
    if torch.backends.mps.is_available():
        return "gpu", "Apple's GPU", None
    return "cpu", "", None


def processor(cpuinfo: Path = onednn.CPUINFO) -> str:
    """Return the processor's name."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == "model name")
    return next(named, platform.machine())


def usable_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many cores this process may use: in a container with a share of the machine, its share."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for quota, period in (("cpu.max", None), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = (cgroup / quota).read_text().split()
            share = int(words[0]) / int(words[1] if period is None else (cgroup / period).read_text())
        except (OSError, ValueError, IndexError):  # no such file, or the word "max": no bound
            continue
        if share > 0:
            cores = min(cores, max(1, round(share)))
    return cores


# ------------------------------------------------------------------------------------------- to set up


def prepare(backend: str) -> None:
    """Set the backend's threads, keep freed memory, and give JAX a cache folder.

    Parameters
    ----------
    backend : {"tensorflow", "jax", "torch"}
        The present one. Call this before its first operation.
    """
    cores = usable_cores()
    keep_freed_memory()
    if backend == "jax":
        _keep_what_jax_compiles(cache_folder() / "jax")
    elif backend == "tensorflow" and cores < (os.cpu_count() or 1):
        import tensorflow as tf

        try:
            tf.config.threading.set_intra_op_parallelism_threads(cores)
        except RuntimeError:
            pass  # it has begun to work already
    elif backend == "torch":
        import torch

        torch.set_num_threads(cores)


@cache
def keep_freed_memory() -> bool:
    """Tell Linux's C library to keep what a step frees for the next one.

    Each thread of the backend has a heap of its own. The C library returns an empty heap to the system, and the next
    step fetches it again, page by page: 10,000 pages a step for dcgan at 32×32, a seventh of its time. With
    ``M_TOP_PAD`` a heap stays. The environment variable ``MALLOC_TOP_PAD_`` decides where it is set.

    Returns
    -------
    bool
        Whether the library has been told.
    """
    if sys.platform != "linux" or "MALLOC_TOP_PAD_" in os.environ:
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_TOP_PAD, _KEPT))
    except (OSError, AttributeError):
        return False  # another C library, such as Alpine's


def _keep_what_jax_compiles(folder: Path) -> None:
    """Let JAX write compiled steps there, unless the user has said where, or it cannot be written."""
    import jax

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if jax.config.jax_compilation_cache_dir is None and os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
