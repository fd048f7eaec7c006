"""One training on several devices, and on several machines: each takes a part of every batch.

On JAX, ``keras.distribution.DataParallel`` spreads a batch over all devices of all machines. Every mean, also that of
BatchNormalization, is of the whole batch, and the noise is that of one device, so the weights are those of one device
but for rounding. On TensorFlow, ``MirroredStrategy`` runs the step on each GPU of one machine with its part of the
batch and adds the gradients up; each GPU's BatchNormalization sees its part only, and logs are means over the GPUs.

    keras-faces train dcgan --data FOLDER --devices all
    keras-faces train dcgan --data FOLDER --backend jax --devices all --hosts one:4000,two:4000 --host 0

See also: ``docs/speed.md``, how to start on several machines.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np


@dataclass(frozen=True)
class Devices:
    """Where a training runs.

    Attributes
    ----------
    names : tuple of str
        The devices of all processes, as the engine calls them. With one or none, nothing is spread.
    process, processes : int
        Which of the processes this is, from 0 on, and how many there are: one for each machine.
    """

    names: tuple[str, ...] = ()
    process: int = 0
    processes: int = 1

    @property
    def spread(self) -> bool:
        """Whether a batch is cut in parts."""
        return len(self.names) > 1

    def scope(self) -> contextlib.AbstractContextManager:
        """Return the context to build and train the model in: Keras's distribution, on JAX."""
        if not self.spread or keras.backend.backend() != "jax":
            return contextlib.nullcontext()
        return keras.distribution.DataParallel(devices=list(self.names), auto_shard_dataset=False).scope()

    def making(self) -> contextlib.AbstractContextManager:
        """Return the context to build the model in: TensorFlow's strategy, which ``fit`` then finds in the model."""
        if not self.spread or keras.backend.backend() == "jax":
            return contextlib.nullcontext()
        import tensorflow as tf

        return tf.distribute.MirroredStrategy(list(self.names)).scope()

    @contextlib.contextmanager
    def own_folder(self, path: Path) -> Iterator[Path]:
        """Yield where this process writes: process 0 to ``path``, the others to a temporary folder."""
        if self.process == 0:
            yield path
        else:
            with tempfile.TemporaryDirectory(prefix="keras-faces-") as place:
                yield Path(place) / path.name

    def check_batch(self, size: int) -> None:
        """Check that batches of this size can be cut in equal parts; otherwise raise ValueError."""
        if size % max(1, len(self.names)):
            known = ", ".join(self.names)
            near = size - size % len(self.names) or len(self.names)
            raise ValueError(
                f"batches of {size} cannot be cut in {len(self.names)} equal parts ({known}): take {near}."
            )

    def check_same(self, settings: str) -> None:
        """Check that all processes train with the same settings; otherwise raise ValueError.

        Parameters
        ----------
        settings : str
            All that must agree, such as the system, the seed and the fingerprint of the photographs.
        """
        if self.processes > 1:
            from jax.experimental import multihost_utils

            digest = np.frombuffer(hashlib.sha256(settings.encode()).digest(), "uint8").astype("int32")
            if (digest != multihost_utils.broadcast_one_to_all(digest)).any():
                raise ValueError(
                    f"process {self.process} was asked for another training than process 0, or finds other photographs "
                    f"or another precision (give --precision): {settings}"
                )


def connect(count: int | str = 1, hosts: str | None = None, host: int | None = None) -> Devices:
    """Find the devices, and connect to the other machines. Call this before anything is computed.

    Parameters
    ----------
    count : int or "all"
        How many devices of each machine.
    hosts : str, optional
        "ADDRESS:PORT,ADDRESS:PORT,...", one for each process; they meet at the first one. JAX only.
    host : int, optional
        Which of them this process is, from 0 on.

    Returns
    -------
    Devices
        What was found.

    Raises
    ------
    ValueError
        If there are fewer devices, if only one of ``hosts`` and ``host`` is given, or if the backend cannot do it.
    """
    backend = keras.backend.backend()
    if backend == "torch" and (count != 1 or hosts):
        raise ValueError("several devices need the backend tensorflow or jax.")
    if hosts is None and host is None:
        names = _local(backend, count) if count != 1 else ()
        return Devices(names)
    if hosts is None or host is None:
        raise ValueError("--hosts and --host belong together: all addresses, and which of them this one is, from 0 on.")
    if backend != "jax":
        raise ValueError("several machines need JAX: give --backend jax as well.")
    addresses = [address.strip() for address in hosts.split(",")]
    if not 0 <= host < len(addresses) or len(addresses) < 2:
        raise ValueError(f"--host {host} with {len(addresses)} of --hosts: two or more, and this one is 0 or more.")
    import jax

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    keras.distribution.initialize(",".join(addresses), len(addresses), host)
    local = [device.id for device in _some(jax.local_devices(), count)]
    names = tuple(f"{device.platform}:{device.id}" for device in _on_each(jax.devices(), len(local)))
    return Devices(names, host, len(addresses))


def _local(backend: str, count: int | str) -> tuple[str, ...]:
    if backend == "jax":
        return tuple(_some(keras.distribution.list_devices(), count))
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tuple(device.name for device in _some(found, count))


def _some(found: list, count: int | str) -> list:
    if count != "all" and count > len(found):
        raise ValueError(f"--devices {count}: here are {len(found)} ({', '.join(map(str, found))}).")
    return found if count == "all" else found[:count]


def _on_each(devices: list, count: int) -> list:
    """The first ``count`` devices of each process."""
    seen: dict[int, int] = {}
    chosen = []
    for device in devices:
        seen[device.process_index] = seen.get(device.process_index, 0) + 1
        if seen[device.process_index] <= count:
            chosen.append(device)
    return chosen


# --------------------------------------------------------------------------------------------- inside a step


def replicas() -> int:
    """Return how many replicas of the step run side by side: MirroredStrategy's GPUs, otherwise 1."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def per_replica_random(draw: Callable[[Any], Any], batch: Any) -> Any:
    """Draw random numbers; under MirroredStrategy each replica takes its own part of one draw for all.

    Parameters
    ----------
    draw : callable
        From a count to a tensor with so many rows.
    batch : int or scalar tensor
        Rows for this replica.

    Returns
    -------
    tensor, shape (batch, ...)
        ``draw(batch)`` where there is one replica.
    """
    copies = replicas()
    if copies == 1:
        return draw(batch)
    import tensorflow as tf

    first = tf.distribute.get_replica_context().replica_id_in_sync_group * batch
    return draw(batch * copies)[first : first + batch]
