# %% [markdown]
# # 26. The variational autoencoder
#
# **What it teaches.** An encoder says where a face's code lies, a decoder makes a face of a code. Two terms share the
# loss: the picture is to come back, and all codes together are to lie like N(0, I), so that noise is a code, too. β
# says how much the second counts. And why the faces are blurred: where the code leaves something open, the mean of all
# faces that fit has the least squared error.
#
# **Command.** `python examples/26_vae.py` — or run the cells one by one.
#
# **Time.** Three trainings of about 900 iterations: 2 minutes on two cores.
#
# **What one should see.** `beta.png`: with β = 0.1 reconstructions are near their photographs, and faces of noise fall
# apart; with β = 10 both are one blurred face; β = 1 of eq. 2.1 lies between. The printed table says it in numbers: the
# reconstruction loss grows with β, the divergence shrinks. `morph.png`: every step from one photograph to another is a
# face. `latent-map.png`: what the codes spend most of their room on is light and colour.
#
# **Read beside it.** `keras_faces/models/autoencoders/vae.py`, `keras_faces/training/encoder.py`; lesson 25 for the
# straight case.

# %% What to try: a code of 2 numbers, {"latent_dim": 2}; photographs; more epochs
DATA = "drawn"  # or a folder, or a packed file
IMAGE_SIZE = 32
IMAGES = 3000
EPOCHS = 20
BATCH_SIZE = 64
BETAS = (0.1, 1.0, 10.0)
OPTIONS = {"latent_dim": 32}
SEED = 0
OUT = "runs/lesson-26"

# %% Train one for each β into run folders, as `keras-faces train vae --option beta=...` does
import pandas

import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, **OPTIONS}
models, ends = {}, {}
for beta in BETAS:
    models[beta] = kf.train("vae", faces, out=f"{OUT}/beta-{beta:g}", beta=beta, **settings)
    ends[beta] = pandas.read_csv(f"{OUT}/beta-{beta:g}/log.csv").iloc[-1]

# %% The two terms, and the same photographs and the same noise for each β
print(pandas.DataFrame(ends).loc[["reconstruction_loss", "kl_loss"]].to_string(float_format="%.1f"))
others = kf.data.load(DATA, image_size=IMAGE_SIZE, count=160, seed=SEED + 1).images[:][:40:5]  # eight people
rows = [("photographs", others)]
for beta, model in models.items():
    rows += [(f"β = {beta:g}\nreconstructed", model.reconstruct(others)), (f"β = {beta:g}\nof noise", model.sample(8))]
kf.plots.save(kf.plots.evolution([(name, kf.plots.magnify(row, 64)) for name, row in rows]), f"{OUT}/beta.png")

# %% From one photograph to another, through their codes
import numpy as np

from keras_faces.figures import encoding

model = models[BETAS[1]]
ways = [encoding.morph(model, others[index], others[index + 1], steps=8) for index in (0, 2, 4)]
kf.plots.save_picture(kf.plots.magnify(kf.plots.tile(np.concatenate(ways), 8), 400), f"{OUT}/morph.png")

# %% Where the codes lie, coloured by what is known of the faces
colours = "Male, Smiling, Eyeglasses"
seen = kf.data.load(DATA, image_size=IMAGE_SIZE, count=1000, seed=SEED)
labels = seen.labelled(colours).labels if seen.attributes is not None else None
found = encoding.latent_map(model, seen.images[:])
kf.plots.save(encoding.figure_of_map(found, seen.images[:], labels), f"{OUT}/latent-map.png")
print(f"the pictures are in {OUT}; with your own: keras-faces morph {OUT}/beta-1 ONE.jpg OTHER.jpg")
