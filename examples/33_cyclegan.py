# %% [markdown]
# # 33. CycleGAN: there and back, without pairs
#
# **What it teaches.** Nobody has been photographed twice, once without and once with glasses, in the same second. Two
# generators and a rule do without pairs: what goes there and back has to be what it was. The cycle alone changes
# nothing, D alone makes anybody with glasses; together, the same person with glasses.
#
# **Command.** `python examples/33_cyclegan.py` — or run the cells one by one.
#
# **Time.** About 4 minutes on two cores.
#
# **What one should see.** `runs/lesson-33/translations/`: six rows. Faces of X, as Y, and back; faces of Y, as X, and
# back. First nothing changes, for G begins with nothing; after two or three epochs the eyes darken, then they have
# rims, and the other way the rims fade. The rest stays. `cycle.png`: the faces that come back worst.
#
# **Read beside it.** `keras_faces/models/cyclegan.py`, `keras_faces/layers/image_pool.py`,
# `keras_faces/data/two_domains.py`.

# %% What to try: LABELS = "Male", "man = Male & !Eyeglasses; woman = !Male & !Eyeglasses"; {"identity": 0}; {"pool": 0}
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--data", default="drawn", help='a packed file with attributes, or "drawn"')
parser.add_argument("--images", type=int, default=2400)
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--labels", default="Eyeglasses")
parser.add_argument("--image-size", type=int, default=32)
parser.add_argument("--out", default="runs/lesson-33")
asked, _ = parser.parse_known_args()
BATCH_SIZE = 16  # eight of either
OPTIONS = {"width": 16, "blocks": 3}
SEED = 0

# %% The faces, and which of them are X and Y
import numpy as np

import keras_faces as kf
from keras_faces.runs import RunConfig, RunFolder, train

config = RunConfig(
    system="cyclegan",
    data=asked.data,
    labels=asked.labels,
    image_size=asked.image_size,
    epochs=asked.epochs,
    batch_size=BATCH_SIZE,
    seed=SEED,
    count=asked.images,
    precision="auto",
    compiler="auto",
    sample_every=100,
    options=OPTIONS,
)
faces = config.faces()
print(faces.summary())
print(faces.labels.counts())

# %% Train: as many of both in every batch
model = train(RunFolder(asked.out), config, faces)

# %% Both ways, of faces of each kind
from keras_faces import translate

x, y = (faces.images[np.flatnonzero(faces.labels.numbers == number)[:64]] for number in (0, 1))
rows = model.rows(x[:8], "Y") + model.rows(y[:8], "X")
kf.plots.save(translate.figure(rows), f"{asked.out}/there-and-back.png")

# %% What comes back is not quite what went: the worst ones
(_, there), (_, back) = model.rows(x, "Y")[1:]
distance = np.abs(back.astype(float) - x).mean(axis=(1, 2, 3))
worst = np.argsort(distance)[::-1][:8]
kf.plots.save(
    translate.figure([("photograph", x[worst]), ("there", there[worst]), ("and back", back[worst])]),
    f"{asked.out}/cycle.png",
)
print(
    f"back again, a colour of a pixel is off by {distance.mean():.1f} levels of 255, "
    f"in the worst face by {distance.max():.1f}"
)
print(f"the pictures are in {asked.out}; your own: keras-faces translate {asked.out} PICTURE --to Y")
