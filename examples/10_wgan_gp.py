# %% [markdown]
# # 10. The gradient penalty
#
# **What it teaches.** Not the weights but the slope itself is held: at a random point of each line from a fake to a
# photograph, the critic's gradient is to have length 1. That takes a gradient of a gradient.
#
# **Command.** `python examples/10_wgan_gp.py` — or run the cells one by one.
#
# **Time.** About 4 minutes on two cores.
#
# **What one should see.** `runs/lesson-10/slopes.png`: the lengths of the gradients crowd a little above 1.
# `runs/lesson-10/evolution.png`: faces, steadier from moment to moment than DCGAN's.
#
# **Read beside it.** `keras_faces/models/gans/wgan_gp.py`, `input_gradients` in `keras_faces/training/gradients.py`.

# %% What to try: the paper's d_steps=5 and rate 1e-4, the option gradient_penalty=1
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 15
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-10"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train("wgan-gp", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=30)

# %% How steep the critic is between photographs and fakes
import keras
import numpy as np

from keras_faces.figures.figure import Figure
from keras_faces.training.gradients import input_gradients
from keras_faces.training.losses import between

real = model.preprocess(faces.images[:256])
fake = model.preprocess(model.sample(len(real), seed=5))
share = np.random.default_rng(SEED).uniform(size=(len(real), 1, 1, 1)).astype("float32")
gradients = keras.ops.convert_to_numpy(input_gradients(model.d_logits, between(real, fake, share)))
figure = Figure(figsize=(8, 3.5), layout="constrained")
axes = figure.subplots()
axes.hist(np.sqrt((gradients**2).sum((1, 2, 3))), bins=40)
axes.axvline(1.0, color="grey", linestyle=":")
axes.set(xlabel="length of the critic's gradient at a point between a fake and a photograph")
kf.plots.save(figure, f"{OUT}/slopes.png")
print(f"the pictures are in {OUT}")
