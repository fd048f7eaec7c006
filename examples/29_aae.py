# %% [markdown]
# # 29. A discriminator that never sees a face
#
# **What it teaches.** The game of GANs can be played about anything. Here the fakes are *codes*: the encoder's, of
# photographs; the real ones are draws of N(0, I). Where D cannot tell them apart, the codes lie as noise does, and
# noise makes faces. No divergence has to be calculated, so the prior could be anything one can draw from.
#
# **Command.** `python examples/29_aae.py` — or run the cells one by one.
#
# **Time.** About 900 iterations: some minutes on two cores.
#
# **What one should see.** `losses.png`: the reconstruction falls as a VAE's does, while D's scores of noise and of
# codes both stay near a half: nobody wins. The printed table: mean 0 and deviation 1 of the codes, or nearly.
# `codes.png`: the histogram of all numbers in the codes, laid over the bell curve, before the training and after it.
#
# **Read beside it.** `keras_faces/models/autoencoders/aae.py`; lesson 26, where a formula does D's work.

# %% What to try: {"latent_dim": 2} and a map of it; {"d_learning_rate": 0}, an autoencoder whose noise makes no faces
DATA = "drawn"  # or a folder, or a packed file
IMAGE_SIZE = 32
IMAGES = 3000
EPOCHS = 20
BATCH_SIZE = 64
OPTIONS = {}
SEED = 0
OUT = "runs/lesson-29"

# %% Train into a run folder, as `keras-faces train aae` does
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)
before = kf.models.build("aae", image_size=IMAGE_SIZE, seed=SEED, **OPTIONS)
model = kf.train("aae", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, **OPTIONS)

# %% Do the codes lie as N(0, I) does?
import numpy as np

from keras_faces.figures.figure import Figure

others = kf.data.load(DATA, image_size=IMAGE_SIZE, count=1000, seed=SEED + 1).images[:]
codes = {"before": before.encode(others), "after": model.encode(others)}
for name, found in codes.items():
    print(f"{name}: mean {found.mean():.2f}, deviation {found.std():.2f}, largest {np.abs(found).max():.1f}")
figure = Figure(figsize=(7, 3.5), layout="constrained")
axes = figure.subplots()
values = np.linspace(-4, 4, 81)
for name, found in codes.items():
    axes.hist(found.ravel(), bins=values, density=True, alpha=0.5, label=f"codes {name} the training")
axes.plot(values, np.exp(-0.5 * values**2) / np.sqrt(2 * np.pi), color="black", label="N(0, 1)")
axes.legend()
kf.plots.save(figure, f"{OUT}/codes.png")

# %% Photographs above their reconstructions, and faces of noise
from keras_faces.figures import encoding

found, psnr = encoding.reconstructions(model, others[:80:5])
picture = encoding.picture_of_reconstructions(others[:80:5], found)
kf.plots.save_picture(kf.plots.magnify(picture, 400), f"{OUT}/reconstructions.png")
kf.plots.save_picture(kf.plots.tile(model.sample(64, seed=SEED)), f"{OUT}/faces.png")
print(f"PSNR {psnr:.1f} dB; the pictures are in {OUT}; where the codes lie: keras-faces latent-map {OUT}")
