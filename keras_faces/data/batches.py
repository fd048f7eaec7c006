"""Shuffled batches of faces for `fit`, with an order per epoch that can be computed again.

The order of epoch e depends only on the seed and on e, so a training that was stopped continues with the faces that it
had not seen yet. What Keras does around it, and what follows:

- `fit` shuffles the batch indices by default, with Python's own random numbers. The index that Keras passes is ignored;
  batches are served in call order.
- It asks for a batch or two before the first epoch, to learn their shape, and reports the end of an epoch once before
  the first begins. Only an epoch of which every batch was taken counts.
- It learns the number of batches once, when `fit` begins. An epoch that starts in the middle (`start`) is therefore a
  `fit` of its own.

See also ``mixed_batches.py`` (fixed shares of two groups in each batch) and `keras.utils.PyDataset`.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import keras
import numpy as np

_AHEAD = 2  # batches prepared in the background


class Batches(keras.utils.PyDataset):
    """Shuffled batches of images.

    Parameters
    ----------
    images : array-like of uint8, shape (N, H, W, 3)
        Takes an int array in square brackets.
    batch_size : int
        Images per batch. The N mod batch_size images at the end of an epoch's order are not used in that epoch.
    seed : int
        Epoch e has the order ``np.random.default_rng([seed, e]).permutation(N)``.
    labels : ndarray of shape (N, n) or `keras_faces.data.labels.OneHot`, optional
        A batch is then a tuple of images and label rows.
    part : tuple of int
        ``(k, n)``: only the k-th of n equal parts of each batch, for the k-th of n machines; (0, 1) is the whole batch.

    Attributes
    ----------
    epoch : int
        The next or running epoch, from 0. Set it between passes to continue from there.
    start : int
        First batch of that epoch; 0 again for the epochs after it.

    Raises
    ------
    ValueError
        Fewer images than one batch, or an argument out of range.

    Notes
    -----
    To continue in epoch 7 after 120 of its batches::

        batches.epoch, batches.start = 7, 120
        model.fit(batches, initial_epoch=7, epochs=8)
        model.fit(batches, initial_epoch=8, epochs=20)

    Do not set `steps_per_epoch` of `fit`: Keras would then carry batches of one epoch's order into the next. A loop
    ``for (images,) in batches`` goes through the next epoch and leaves `epoch` unchanged.
    """

    def __init__(self, images, batch_size: int, seed: int = 0, labels: np.ndarray | None = None, part=(0, 1)):
        super().__init__(workers=1)  # several workers would make the call order random
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} must be 1 or more")
        if len(images) < batch_size:
            raise ValueError(
                f"{len(images)} faces do not fill one batch of {batch_size}: "
                f"take batch_size={len(images)} or less, or more faces"
            )
        if labels is not None and len(labels) != len(images):
            raise ValueError(f"{len(labels)} rows of labels for {len(images)} pictures")
        if batch_size % part[1]:
            raise ValueError(f"batch_size={batch_size} cannot be cut in {part[1]} equal parts")
        self.images, self.batch_size, self.seed = images, int(batch_size), int(seed)
        self.part = part
        self.labels = labels
        self._epoch, self._start = 0, 0
        self._positions: dict[int, int] | None = None  # in the running epoch: index asked for -> position in the order
        self._partial = 0  # batches, where fit has learned the length of an epoch which started in the middle
        self._order = (None, None)  # epoch and indices that were computed last
        self._ahead: dict[tuple[int, int], Future] = {}
        self._background: ThreadPoolExecutor | None = None
        self._lock = threading.RLock()

    @property
    def epoch(self) -> int:
        """The next or running epoch."""
        return self._epoch

    @epoch.setter
    def epoch(self, value: int) -> None:
        if value < 0:
            raise ValueError(f"epoch={value} must be 0 or more")
        self._epoch, self._positions = int(value), None

    @property
    def start(self) -> int:
        """First batch of the epoch."""
        return self._start

    @start.setter
    def start(self, value: int) -> None:
        if not 0 <= value < self.batches_per_epoch:
            raise ValueError(f"start={value} must be from 0 to {self.batches_per_epoch - 1}, the last batch's number")
        self._start, self._positions = int(value), None

    @property
    def running(self) -> bool:
        """Whether Keras is in the middle of an epoch."""
        return self._positions is not None

    @property
    def batches_per_epoch(self) -> int:
        """Batches of a whole epoch."""
        return len(self.images) // self.batch_size

    def __len__(self) -> int:
        """Return the number of batches of the next or running epoch, from `start` on."""
        return self.batches_per_epoch - self._start

    def order(self, epoch: int) -> np.ndarray:
        """Return the image indices of an epoch, batch after batch: int64, shape (≥ batches_per_epoch * batch_size,)."""
        with self._lock:
            if self._order[0] != epoch:
                self._order = (epoch, self._shuffled(np.random.default_rng([self.seed, epoch])))
            return self._order[1]

    def _shuffled(self, random: np.random.Generator) -> np.ndarray:
        """The indices of one epoch; subclasses override it."""
        return random.permutation(len(self.images))

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return one batch: a tuple of images, uint8 (batch_size, H, W, 3), and label rows, if there are any.

        While `fit` runs, the first call with an index that is new in this epoch gives the next batch of the order;
        otherwise the result is batch `index` of the next epoch.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} does not exist: this epoch has {len(self)}, numbered from 0")
        with self._lock:
            if self._positions is None:
                return self._read(self._epoch, self._start + index)
            position = self._start + self._positions.setdefault(index, len(self._positions))
            batch = self._ahead.pop((self._epoch, position), None)
            self._prepare(position + 1)
            epoch = self._epoch
        return self._read(epoch, position) if batch is None else batch.result()

    def _read(self, epoch: int, position: int) -> tuple[np.ndarray, ...]:
        k, parts = self.part
        size = self.batch_size // parts
        first = position * self.batch_size + k * size
        indices = self.order(epoch)[first : first + size]
        return (self.images[indices],) if self.labels is None else (self.images[indices], self.labels[indices])

    def _prepare(self, position: int) -> None:
        """Let the background thread read the next batches of this epoch."""
        if self._background is None:
            self._background = ThreadPoolExecutor(1, thread_name_prefix="batches")
        for coming in range(position, min(position + _AHEAD, self.batches_per_epoch)):
            key = (self._epoch, coming)
            if key not in self._ahead:
                self._ahead[key] = self._background.submit(self._read, *key)

    def on_epoch_begin(self) -> None:
        """Start an epoch; called by Keras."""
        with self._lock:
            if self._partial:
                raise RuntimeError(
                    f"The fit began with the last {self._partial} batches of an epoch and would stop each later epoch "
                    "after as many, because Keras asks for the number of batches once. Give the rest of an epoch a fit "
                    "of its own: fit(batches, initial_epoch=e, epochs=e + 1), then fit(batches, initial_epoch=e + 1, "
                    "epochs=...)"
                )
            self._positions = {}

    def on_epoch_end(self) -> None:
        """End an epoch; called by Keras, and once more when a `fit` begins."""
        with self._lock:
            is_complete = self._positions is not None and len(self._positions) == len(self)
            self._partial = len(self) if is_complete and self._start else 0
            if is_complete:
                self._epoch, self._start = self._epoch + 1, 0
            self._positions = None
            for batch in self._ahead.values():
                batch.cancel()
            self._ahead.clear()
