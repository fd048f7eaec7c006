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
# **Read beside it.** `keras_faces/models/translation/cyclegan.py`, `keras_faces/layers/image_pool.py`,
# `keras_faces/data/mixed_batches.py`.

# %% What to try: LABELS = "Male", "man = Male & !Eyeglasses; woman = !Male & !Eyeglasses"; {"identity": 0}; {"pool": 0}
DATA = "drawn"  # or a packed file with its table of attributes
IMAGES = 2400
EPOCHS = 12
LABELS = "Eyeglasses"
IMAGE_SIZE = 32
BATCH_SIZE = 16  # eight of either
OPTIONS = {"width": 16, "blocks": 3}
SEED = 0
OUT = "runs/lesson-33"

# %% The faces, and which of them are X and Y
import numpy as np

import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED).labelled(LABELS)
print(faces.labels.counts())

# %% Train: as many of both in every batch
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "sample_every": 100}
model = kf.train("cyclegan", faces, labels=LABELS, out=OUT, **settings, **OPTIONS)

# %% Both ways, of faces of each kind
from keras_faces.figures import translate

x, y = (faces.images[np.flatnonzero(faces.labels.class_ids == number)[:64]] for number in (0, 1))
rows = model.rows(x[:8], "Y") + model.rows(y[:8], "X")
kf.plots.save(translate.figure(rows), f"{OUT}/there-and-back.png")

# %% What comes back is not quite what went: the worst ones
(_, there), (_, back) = model.rows(x, "Y")[1:]
distance = np.abs(back.astype(float) - x).mean(axis=(1, 2, 3))
worst = np.argsort(distance)[::-1][:8]
kf.plots.save(
    translate.figure([("photograph", x[worst]), ("there", there[worst]), ("and back", back[worst])]),
    f"{OUT}/cycle.png",
)
print(
    f"back again, a colour of a pixel is off by {distance.mean():.1f} levels of 255, "
    f"in the worst face by {distance.max():.1f}"
)
print(f"the pictures are in {OUT}; your own: keras-faces translate {OUT} PICTURE --to Y")
