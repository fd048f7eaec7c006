# %% [markdown]
# # 2. The improved pair
#
# **What it teaches.** What five changes do to the same game: BatchNormalization keeps every stage in range, ReLU and
# LeakyReLU pass the gradients that tanh swallows, strides replace pooling, Dropout keeps D from learning photographs by
# heart, and the big dense layers go. A fifth of the weights and better faces.
#
# **Command.** `python examples/02_slides_gan_improved.py` — or run the cells one by one.
#
# **Time.** About 8 minutes on two cores.
#
# **What one should see.** In `runs/lesson-02/samples`: the first grids are already coloured, not grey (see
# `docs/the-step.md`); in the second epoch stains become heads, each its own, by the sixth they have eyes and hair.
#
# **Read beside it.** `keras_faces/models/gans/slides_v2.py`, and `docs/errata.md` on its 48×48, 64×64 and 96×96.

# %% What to try: the slide's own widths, your own folder, more epochs
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 64
FILTERS = (256, 128, 64, 32)  # half of the slide's 512, 256, 128, 64, for the sake of minutes
IMAGES = 2000
EPOCHS = 10
BATCH_SIZE = 16
SEED = 0
OUT = "runs/lesson-02"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)
print(faces.summary())

# %% Two generators with the same task: count where their weights are
first = kf.models.build("slides-v1", image_size=IMAGE_SIZE)
model = kf.models.build("slides-v2", image_size=IMAGE_SIZE, seed=SEED, filters=FILTERS)
for name, system in (("slides-v1", first), ("slides-v2", model)):
    dense = sum(layer.count_params() for layer in system.generator.layers if "dense" in layer.name)
    print(f"{name}: {system.generator.count_params():,} weights in G, {dense:,} of them in dense layers")

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train(
    "slides-v2", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=25, filters=FILTERS
)

# %% Between two faces lies a path of faces: the noise of one, step by step into that of the other
import numpy as np

from keras_faces.training.sampling import latent_noise

start, end = latent_noise(2, model.latent_dim, seed=3)
path = np.stack([(1 - share) * start + share * end for share in np.linspace(0, 1, 8)]).astype("float32")
kf.plots.save(kf.plots.grid(model.render(path), columns=8, title="from one face to another"), f"{OUT}/path.png")

# %% Variety against quality: the same noise, more and more truncated
rows = [(f"truncated at {limit}", model.sample(8, seed=4, truncation=limit)) for limit in (3.0, 1.5, 0.7)]
kf.plots.save(kf.plots.evolution(rows, title="truncation"), f"{OUT}/truncation.png")
print(f"the pictures are in {OUT}; go on with: keras-faces train slides-v2 --resume --epochs 12 --out {OUT}")
