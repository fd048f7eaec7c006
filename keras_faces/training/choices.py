"""What this machine trains fastest with: graph or XLA, float32 or bfloat16 or float16, how many threads.

The choices are made by measurement where a rule would guess (``measure.py``: seconds, once per machine), remembered in
the user's cache folder, and told in one line when a training begins:

    On 2 cores of AMD EPYC: TensorFlow as a graph (XLA: 0.81 times as fast), bfloat16 layers (1.61 times as fast) ...

A run writes what was chosen into its ``config.json``, so that it goes on with the same on any machine.
``docs/speed.md`` has the numbers behind the rules.

Read next: ``measure.py``, then ``runs.py``, which asks.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from keras_faces.files import replacing

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
COMPILERS = ("auto", "graph", "xla")
_WINS = 1.1  # how many times faster bfloat16 must be to be worth its shorter mantissa
_M_TOP_PAD, _KEPT = -2, 256 * 2**20  # malloc.h's number of the setting; bytes that each heap may keep
_NAMES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


@dataclass(frozen=True)
class Choices:
    """What a training runs with.

    Attributes
    ----------
    precision
        "float32", "bfloat16" or "float16", as ``kf.models.build`` takes it.
    compiler
        "graph" or "xla": what TensorFlow makes of the step. JAX has XLA alone, and PyTorch runs eagerly.
    threads
        How many cores one operation may use.
    line
        One sentence that explains the choices.
    """

    precision: str
    compiler: str
    threads: int
    line: str


@dataclass(frozen=True)
class Machine:
    """The hardware as far as it decides: ``device`` is "cpu", "gpu" or "tpu"; ``capability`` is CUDA's, such as 9.0.

    ``bfloat16`` says whether the processor has units for it: None where the system does not tell.
    """

    device: str
    name: str
    cores: int
    backend: str
    capability: float | None = None
    bfloat16: bool | None = None


def choose(precision: str = "auto", compiler: str = "auto") -> Choices:
    """The choices for a training on the present backend; what is not "auto" stays as it is asked for.

    Measures if it must, that is if no earlier measurement of this machine with these versions is remembered.

    Raises
    ------
    ValueError
        For a word that is neither "auto" nor one of the precisions and compilers.
    """
    for name, asked, known in (("precision", precision, PRECISIONS), ("compiler", compiler, COMPILERS)):
        if asked not in known:
            raise ValueError(f"{name}={asked!r}: choose from {', '.join(known)}.")
    here = machine()
    compiler, why_compiler = _compiler(compiler, here)
    precision, why_precision = _precision(precision, compiler, here)
    engine = f"{_NAMES[here.backend]}{why_compiler}"
    cores = f"{here.cores} core{'s' * (here.cores > 1)} of " if here.device == "cpu" else ""
    line = f"On {cores}{here.name}: {engine}, {precision} layers{why_precision}."
    return Choices(precision, compiler, here.cores, line)


def default_compiler() -> str:
    """Without measuring: "graph" for TensorFlow on a CPU, where XLA takes longer to compile and to run; else "xla"."""
    here = machine()
    return "graph" if here.backend == "tensorflow" and here.device == "cpu" else "xla"


def _compiler(asked: str, here: Machine) -> tuple[str, str]:
    if here.backend != "tensorflow":
        return "xla", " (XLA)" if here.backend == "jax" else ""
    names = {"graph": "as a graph", "xla": "with XLA"}
    if asked != "auto":
        return asked, f" {names[asked]}, as asked for"
    times = measured(here)
    if not times:
        return default_compiler(), f" {names[default_compiler()]}"
    ratio = times["graph float32"] / times["xla float32"]
    chosen, other = ("xla", "graph") if ratio > 1 else ("graph", "xla")
    return chosen, f" {names[chosen]} ({max(ratio, 1 / ratio):.2f} times as fast as {names[other]})"


def _precision(asked: str, compiler: str, here: Machine) -> tuple[str, str]:
    if asked != "auto":
        return asked, ", as asked for"
    if here.device == "tpu":
        return "bfloat16", " (a TPU's own)"
    if here.device == "gpu":
        return _precision_of_gpu(here.capability)
    if here.bfloat16 is False:
        return "float32", " (no bfloat16 units here)"
    times = measured(here)
    if not times:
        return "float32", ""
    ratio = times[f"{compiler} float32"] / times[f"{compiler} bfloat16"]
    if ratio < _WINS:
        return "float32", f" (bfloat16 is {ratio:.2f} times as fast)"
    return "bfloat16", f" ({ratio:.2f} times as fast as float32)"


def _precision_of_gpu(capability: float | None) -> tuple[str, str]:
    """NVIDIA's matrix units know bfloat16 from Ampere (8.0) on and float16 from Volta (7.0) on."""
    if capability is None or capability < 7.0:
        return "float32", " (no matrix units for shorter numbers known)"
    if capability < 8.0:
        return "float16", " with loss scaling (this GPU has no bfloat16)"
    return "bfloat16", ""


# ---------------------------------------------------------------------------------------- what is measured


def measured(here: Machine) -> dict[str, float]:
    """Seconds of the small step by variant, from the cache or measured now; empty for PyTorch, which has no choice."""
    if here.backend == "torch":
        return {}
    return _measured(here)


@cache
def _measured(here: Machine) -> dict[str, float]:
    compilers = ("graph", "xla") if here.backend == "tensorflow" else ("xla",)
    variants = [(compiler, "float32") for compiler in compilers]
    if here.device == "cpu" and here.bfloat16 is not False:
        variants += [(compiler, "bfloat16") for compiler in compilers]
    wanted = {" ".join(variant) for variant in variants}
    file = cache_folder() / f"choices-{fingerprint(here)}.json"
    times = _remembered(file)
    if times.keys() != wanted:
        from keras_faces.training import measure

        print("Measuring once what this machine is fast at ...", flush=True)
        times = measure.seconds(variants, batch=16 if here.device == "cpu" else 256)
        _remember(file, times)
    return times


def fingerprint(here: Machine) -> str:
    """Changes with the hardware and with the versions that decide how fast it is."""
    import keras

    versions = [keras.__version__, sys.modules[here.backend].__version__, platform.python_version()]
    return hashlib.sha256(repr((here, versions)).encode()).hexdigest()[:16]


def _remembered(file: Path) -> dict[str, float]:
    """An earlier measurement; empty if there is none that can be read and believed."""
    try:
        times = json.loads(file.read_text(encoding="utf-8"))
        usable = isinstance(times, dict) and all(isinstance(value, float) and value > 0 for value in times.values())
        return times if usable else {}
    except (OSError, ValueError):
        return {}


def _remember(file: Path, times: dict[str, float]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as beside:
            beside.write_text(json.dumps(times, indent=2) + "\n", encoding="utf-8")
    except OSError:
        pass  # a cache that cannot be written is measured again the next time


def cache_folder() -> Path:
    """The folder for what can be made again: ``KERAS_FACES_CACHE``, or the system's place for caches."""
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
    """This machine under the present backend."""
    import keras

    backend = keras.backend.backend()
    device, name, capability = {"tensorflow": _tensorflow_device, "jax": _jax_device, "torch": _torch_device}[backend]()
    if device == "cpu":
        name, bfloat16 = processor()
        return Machine(device, name, usable_cores(), backend, bfloat16=bfloat16)
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
    return "cpu", "", None


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, bool | None]:
    """The processor's name, and whether it has units for bfloat16 (None: the system does not tell)."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), None
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    known = {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16", "svebf16"}
    return facts.get("model name") or platform.machine(), bool(known & set(flags)) if flags else None


def usable_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """The cores that this process may use: fewer than the machine has in a container with a share of them."""
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


# ------------------------------------------------------------------------------------------------ to set up


def prepare(backend: str) -> None:
    """Before the backend's first operation: its threads, memory that stays, a place for what JAX compiles."""
    cores = usable_cores()
    keep_freed_memory()
    if backend == "jax":
        _keep_what_jax_compiles(cache_folder() / "jax")
    elif backend == "tensorflow" and cores < (os.cpu_count() or 1):
        import tensorflow as tf

        try:
            tf.config.threading.set_intra_op_parallelism_threads(cores)
        except RuntimeError:
            pass  # it has begun to work already, with threads of its own choice
    elif backend == "torch":
        import torch

        torch.set_num_threads(cores)


@cache
def keep_freed_memory() -> bool:
    """Tell Linux's C library to keep what a step frees for the next one; True if it has been told.

    Each thread of the backend has a heap of its own. The C library gives a heap back to the system as soon as it is
    empty, and the next step fetches it again, page by page: 10,000 pages a step for dcgan at 32×32, a seventh of its
    time. With ``M_TOP_PAD`` a heap stays. The environment variable ``MALLOC_TOP_PAD_`` is the user's word on it.
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
