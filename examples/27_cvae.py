# %% [markdown]
# # 27. A VAE that is told the label
#
# **What it teaches.** Encoder and decoder both read the label. What the label says costs nothing, what the code says
# costs nats: so the code leaves it out and says all the rest. Then the label is a handle. Keep a photograph's code,
# turn the label, and the same face has glasses.
#
# **Command.** `python examples/27_cvae.py` — or run the cells one by one.
#
# **Time.** About 2800 iterations: 2 minutes on two cores.
#
# **What one should see.** `labels.png`: the same noise down each column, a label a row. `turned.png`: photographs,
# their reconstructions with their own label, and with one attribute turned over: that changes, the rest stays, and all
# is blurred as a VAE's faces are.
#
# **Read beside it.** `keras_faces/models/autoencoders/cvae.py`, `keras_faces/training/conditional.py`; lesson 16, the
# conditional GAN.

# %% What to try: {"beta": 4}, a label of another kind: "man = Male; woman = !Male", "identity:20"
DATA = "drawn"  # or a packed file with its table of attributes
LABELS = "Smiling, Male, Eyeglasses"
IMAGE_SIZE = 32
IMAGES = 3000
EPOCHS = 60
BATCH_SIZE = 64
OPTIONS = {"latent_dim": 32}
SEED = 0
OUT = "runs/lesson-27"

# %% Train into a run folder, as `keras-faces train cvae --labels ...` does
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED).labelled(LABELS)
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "labels": LABELS}
model = kf.train("cvae", faces, out=OUT, **settings, **OPTIONS)

# %% A label a row, the same noise down each column
from keras_faces.figures import label_grids

rows = label_grids.labels_to_show(model)
images = label_grids.same_noise(model, rows, faces=8, seed=SEED)
kf.plots.save(label_grids.figure_of_labels(model, rows, images), f"{OUT}/labels.png")

# %% Photographs that it has not seen: their codes with their own label, and with each attribute turned over
others = kf.data.load(DATA, image_size=IMAGE_SIZE, count=500, seed=SEED + 1).labelled(LABELS)
images, own = others.images[:40:5], others.labels.vectors[:40:5]  # of several people
codes = model.encode(images, own)
rows = [("photographs", images), ("own label", model.decode(codes, own))]
for column, name in enumerate(model.label_names):
    turned = own.copy()
    turned[:, column] = 1 - turned[:, column]
    rows.append((f"{name}\nturned over", model.decode(codes, turned)))
kf.plots.save(kf.plots.evolution([(name, kf.plots.magnify(row, 64)) for name, row in rows]), f"{OUT}/turned.png")
print(f"the pictures are in {OUT}; a map of the codes: keras-faces latent-map {OUT}")
