# %% [markdown]
# # 28. A discriminator as the measure of likeness
#
# **What it teaches.** Pixel by pixel, a blurred face is nearer to a photograph than a sharp one whose hair lies one
# pixel aside. A discriminator sees it the other way round. So the decoder of a VAE becomes the generator of a GAN, and
# the error is measured in D's features. Three networks, three losses: who learns by what is the lesson.
#
# **Command.** `python examples/28_vaegan.py` — or run the cells one by one.
#
# **Time.** A VAE and a VAE/GAN, about 900 iterations each; the second takes four times as long. 2 minutes on two cores.
#
# **What one should see.** `beside.png`: the VAE's reconstructions are smooth, those of the VAE/GAN have edges, hair and
# noise. The printed PSNR says the opposite, and that is the point: it measures what the VAE minimises.
#
# **Read beside it.** `keras_faces/models/autoencoders/vaegan.py` with Larsen's algorithm 1; lesson 26; lesson 23 for
# chapter 4's form.

# %% What to try: {"gamma": 0.5} (likeness), {"gamma": 0.005} (realism), {"beta": 1}; photographs and more epochs
DATA = "drawn"  # or a folder, or a packed file
IMAGE_SIZE = 32
IMAGES = 3000
EPOCHS = 20
BATCH_SIZE = 64
OPTIONS = {"vae": {}, "vaegan": {"width": 32}}
SEED = 0
OUT = "runs/lesson-28"

# %% Train both into run folders: the same photographs, as often
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED}
models = {}
for name, options in OPTIONS.items():
    models[name] = kf.train(name, faces, out=f"{OUT}/{name}", **settings, **options)

# %% The same photographs, which neither has seen, and the same noise
from keras_faces.figures import encoding

others = kf.data.load(DATA, image_size=IMAGE_SIZE, count=160, seed=SEED + 1).images[:][:40:5]  # eight people
rows = [("photographs", others)]
for name, model in models.items():
    found, psnr = encoding.reconstructions(model, others)
    print(f"{name}: PSNR of the reconstructions {psnr:.1f} dB")
    rows += [(f"{name}\nreconstructed", found), (f"{name}\nof noise", model.sample(8, seed=SEED))]
kf.plots.save(kf.plots.evolution([(name, kf.plots.magnify(row, 64)) for name, row in rows]), f"{OUT}/beside.png")
print(f"the pictures are in {OUT}; from face to face: keras-faces morph {OUT}/vaegan ONE.jpg OTHER.jpg")
