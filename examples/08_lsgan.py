# %% [markdown]
# # 8. Least squares
#
# **What it teaches.** A loss that still pulls where a cross-entropy is content: D answers 1 to photographs and −1 to
# fakes, G wants a 0, and every miss is squared (eq. 2.10 and 2.11). The networks are DCGAN's, unchanged.
#
# **Command.** `python examples/08_lsgan.py` — or run the cells one by one.
#
# **Time.** About 2 minutes on two cores.
#
# **What one should see.** `runs/lesson-08/evolution.png`: nothing but checks for some epochs, while D's answers spread
# to −1 and 1; then faces as DCGAN makes them, all different. `answers.png`: D's answers to
# photographs gather around 1 and those to fakes around −1, with an overlap that shows how good the fakes are.
#
# **Read beside it.** `keras_faces/models/gans/lsgan.py`, `keras_faces/training/losses.py`.

# %% What to try: the option loss=hinge or saturating, 64 pixels
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 14
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-08"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train("lsgan", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=50)

# %% D's answers to photographs and to fakes it has never seen
import keras
import numpy as np

from keras_faces.figures.figure import Figure


def answers(images):
    return keras.ops.convert_to_numpy(model.d_logits(model.preprocess(images), training=True)).ravel()


unseen = kf.data.load("drawn", image_size=IMAGE_SIZE, count=256, seed=SEED + 1).images[:]
figure = Figure(figsize=(8, 3.5), layout="constrained")
axes = figure.subplots()
for images, label in ((unseen, "new photographs"), (model.sample(256, seed=5), "fakes")):
    axes.hist(answers(np.asarray(images)), bins=40, range=(-2, 2), alpha=0.6, label=label)
axes.set(xlabel="D's answer: −1 fake, 1 real")
axes.legend()
kf.plots.save(figure, f"{OUT}/answers.png")
print(f"the pictures are in {OUT}")
