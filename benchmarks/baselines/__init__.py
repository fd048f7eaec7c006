"""The same networks, trained as people train them today: what ``benchmarks/train.py`` lays beside this package.

Each file but ``ours.py`` is a program that a reader would write or copy, without ``keras_faces``. All have a class
``Trainer``::

    Trainer(system, image_size, batch_size, precision, options)    # builds the nets
    trainer.parameters                                             # weights of G and of D: the same in all of them
    trainer.run(steps)                                             # returns when the last step is done; may return
                                                                   # the steps' seconds, by the clock and of all threads

See also: ``keras_step.py``, the shortest; ``worker.py``, how they are timed.
"""

import numpy as np

LATENT_DIM = 100
MOST_IMAGES = 512


def pictures(image_size: int, count: int = MOST_IMAGES) -> np.ndarray:
    """Return random images instead of photographs, uint8 (count, image_size, image_size, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, image_size, image_size, 3), dtype=np.uint8)
