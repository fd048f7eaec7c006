# %% [markdown]
# # 32. pix2pix: the photograph that belongs to a picture
#
# **What it teaches.** With pairs one can simply ask for the right answer, by ℓ1. But much might be right, and the
# middle of all that is blurred. A discriminator that judges patches asks that it be sharp. Three trainings of the same
# U-Net: ℓ1 alone, D alone, both.
#
# **Command.** `python examples/32_pix2pix.py` — or run the cells one by one.
#
# **Time.** About 4 minutes on two cores, for all three.
#
# **What one should see.** `comparison.png`: of faces that were not learned from, their outlines, what each of the three
# makes of them, and the photographs. ℓ1 alone is smooth; D alone is full of contrast and need not be that face; both
# is between, like and sharp. `sharpness.png`: how much neighbouring pixels differ, beside photographs, and how far from
# the photograph each is. `runs/lesson-32/both/translations/`: rows of input, output and photograph on the way.
#
# **Read beside it.** `keras_faces/models/translation/pix2pix.py`, `keras_faces/models/translation/degradations.py`,
# `keras_faces/layers/patches.py`.

# %% What to try: TASK = "grey", "low", "hole"; 64 pixels; your own folder
DATA = "drawn"  # or a folder, or a packed file
IMAGES = 2000
EPOCHS = 20
IMAGE_SIZE = 32
TASK = "edges"
BATCH_SIZE = 16
WIDTH = 24
SEED = 0
OUT = "runs/lesson-32"
LOSSES = {"ℓ1": {"adversarial": 0.0}, "D": {"l1": 0.0}, "both": {}}

# %% The faces; some are held out
import numpy as np

import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)
held_out, learned = faces.images[:64], faces.take(np.arange(64, len(faces)))

# %% Three trainings
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "task": TASK, "width": WIDTH}
models = {}
for name, losses in LOSSES.items():
    out = f"{OUT}/{name.replace('ℓ', 'l')}"
    models[name] = kf.train("pix2pix", learned, out=out, **settings, **losses)

# %% Of faces that they have not seen: the picture, what each makes of it, the photograph
from keras_faces.figures import translate

some = held_out[:8]
rows = [(TASK, models["both"].inputs(some))]
rows += [(name, model.translate(some)) for name, model in models.items()]
kf.plots.save(translate.figure([*rows, ("photograph", some)]), f"{OUT}/comparison.png")

# %% Sharp, and like: two numbers for each
from keras_faces.figures.figure import Figure


def sharpness(images):
    """How much neighbours differ, on the average, in levels."""
    return np.abs(np.diff(images.astype(float), axis=2)).mean()


made = {name: model.translate(held_out) for name, model in models.items()}
names = [*made, "photographs"]
figure = Figure(figsize=(8, 3), layout="constrained")
left, right = figure.subplots(1, 2)
left.bar(names, [sharpness(images) for images in (*made.values(), held_out)])
left.set_title("neighbouring pixels differ by")
right.bar(list(made), [np.abs(images.astype(float) - held_out).mean() for images in made.values()])
right.set_title("distance from the photograph")
for axes in (left, right):
    axes.set_ylabel("levels of 255")
kf.plots.save(figure, f"{OUT}/sharpness.png")
print(f"the pictures are in {OUT}; your own: keras-faces translate {OUT}/both PICTURE")
