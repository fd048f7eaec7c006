# %% [markdown]
# # 5. DCGAN
#
# **What it teaches.** The rules that made GANs work on pictures: strides instead of pooling, transposed convolutions,
# BatchNormalization in both networks, ReLU in G and LeakyReLU in D. And that a ladder of halved sides makes any size.
#
# **Command.** `python examples/05_dcgan.py` — or run the cells one by one.
#
# **Time.** About 2 minutes on two cores.
#
# **What one should see.** `runs/lesson-05/evolution.png`: stains within the first epoch, heads with hair in the second,
# different faces by the end. `path.png`: between two faces lie faces, not one fading into the other.
#
# **Read beside it.** `keras_faces/models/gans/dcgan.py`, `keras_faces/layers/dcgan_blocks.py`.

# %% What to try: other seeds, 64 pixels, your own folder of photographs
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 10
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-05"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% The ladder: which sides the maps have, at the course's sizes and at an odd one
from keras_faces.layers.dcgan_blocks import feature_channels, feature_sizes

for size in (32, 64, 100, 125, 128):
    print(f"{size:>4}: sides {feature_sizes(size)}, channels {feature_channels(size, 64)}")

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train("dcgan", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=50)

# %% Between two faces lies a path of faces: the noise of one, step by step into that of the other
import numpy as np

from keras_faces.training.sampling import latent_noise

start, end = latent_noise(2, model.latent_dim, seed=3)
path = np.stack([(1 - share) * start + share * end for share in np.linspace(0, 1, 8)]).astype("float32")
kf.plots.save(kf.plots.grid(model.render(path), columns=8, title="from one face to another"), f"{OUT}/path.png")

# %% The first paper's conclusion: truncate the noise for better samples
rows = [(f"truncated at {limit}", model.sample(8, seed=4, truncation=limit)) for limit in (3.0, 1.5, 0.7)]
kf.plots.save(kf.plots.evolution(rows, title="truncation"), f"{OUT}/truncation.png")
print(f"the pictures are in {OUT}")
