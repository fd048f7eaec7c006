# %% [markdown]
# # 4. The original GAN
#
# **What it teaches.** Algorithm 2.1 with nothing but dense layers: k steps of D, one of G. And why nobody minimises the
# loss that it prints for G: where D is sure of a fake, that loss is flat.
#
# **Command.** `python examples/04_gan.py` — or run the cells one by one.
#
# **Time.** About 2 minutes on two cores.
#
# **What one should see.** `runs/lesson-04/evolution.png`: coloured noise, one blurred head for all, then heads that
# differ, with eyes, mouth and hair, and grain that never goes away: no pixel knows its neighbours.
#
# **Read beside it.** `keras_faces/models/gans/gan.py`, `keras_faces/training/losses.py`.

# %% What to try: k = 3, the printed loss (the option below), 64 pixels
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 25
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-04"
K = 1  # steps of D for each of G

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Both losses of G, as D's logit for a fake goes from "fake for sure" to "real for sure"
from pathlib import Path

import numpy as np

from keras_faces.figures.figure import Figure

logits = np.linspace(-8, 8, 161)
score = 1 / (1 + np.exp(-logits))
figure = Figure(figsize=(8, 3.5), layout="constrained")
left, right = figure.subplots(1, 2)
left.plot(logits, np.log(1 - score), label="log(1 - D(G(z))), as algorithm 2.1 prints it")
left.plot(logits, -np.log(score), label="-log D(G(z)), non-saturating")
right.plot(logits, -score, label="its slope: nothing to learn where G begins, at the left")
right.plot(logits, score - 1, label="its slope: steepest where G begins")
for axes, title in ((left, "what G minimises"), (right, "how strongly it pulls")):
    axes.set(xlabel="D's logit for a fake", title=title)
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)
Path(OUT).parent.mkdir(parents=True, exist_ok=True)
kf.plots.save(figure, f"{OUT}-losses-of-g.png")

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train("gan", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=50, d_steps=K)

# %% The grain: average the fakes, and what is left is one smooth head
many = model.sample(256, seed=1)
rows = [("eight faces", many[:8]), ("means of 8", many.reshape(32, 8, *many.shape[1:]).mean(1)[:8].astype("uint8"))]
kf.plots.save(kf.plots.evolution(rows, title="a mean of faces has no grain"), f"{OUT}/means.png")
print(f"the pictures are in {OUT}, and {OUT}-losses-of-g.png")
