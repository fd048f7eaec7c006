# %% [markdown]
# # 23. CVAE-GAN: a photograph for each face
#
# **What it teaches.** With an encoder in front, each face that G makes has a photograph to be like: pixel by pixel, in
# what D sees and in what a classifier C sees (dissertation, chapter 4). Each of the three terms does something of its
# own, which the ablation shows. And a code is good for more than faces: holes can be filled, faces of the same pose
# found, new faces made for a recogniser.
#
# **Command.** `python examples/23_cvae_gan.py` — or run the cells one by one.
#
# **Time.** Four trainings of about 1,100 iterations each: 9 to 10 minutes on two cores. `ABLATION = False` makes two.
# `FULL = True` is section 4.3 at 128×128, for a GPU and a night each; a stopped one goes on.
#
# **What one should see.** `comparison/reconstructions.png` (figure 4.6): photographs, and what each of the four keeps
# of them. The source finds blur without D's term, fewer details without pixels, and a lost identity without C's term.
# `relabelled.png` (figure 4.8): one code under every label keeps pose and background; brows, lips and beard follow the
# label, the hair stays with the code until later. `inpainting.png` (figure 4.10).
# `retrieval.png` (figure 4.12): neighbours in z look the same way, whoever they are.
#
# **Read beside it.** `keras_faces/models/dissertation/cvae_gan.py`, `keras_faces/training/encoder.py`,
# `keras_faces/applications/`.

# %% What to try: identity:20 on a packed file, other weights ("kl_weight": 1.0), a hole of your own
DATA = "drawn"  # or a packed file: "../celeba64.h5"
LABELS = "man = Male; woman = !Male"
FULL = False
IMAGE_SIZE = 128 if FULL else 32
IMAGES = None if FULL else 3000
EPOCHS = 100 if FULL else 12
BATCH_SIZE = 128 if FULL else 32
OPTIONS = "width=64" if FULL else "width=24,classifier_first=100,sample_weight=1,learning_rate=0.0005,average=0.99"
ABLATION = True
SEED = 0
OUT = "runs/lesson-23-full" if FULL else "runs/lesson-23"

# %% All losses, and without one of them, as `keras-faces compare cvae-gan cvae-gan:d_weight=0 --labels ...` does
import keras_faces as kf

systems = [f"cvae-gan:{OPTIONS}"]
for left_out in ("d_weight", "c_weight", "pixel_weight") if ABLATION else ("d_weight",):
    systems.append(f"cvae-gan:{OPTIONS},{left_out}=0")
settings = {"image_size": IMAGE_SIZE, "epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "count": IMAGES}
table = kf.compare.compare(systems, DATA, labels=LABELS, out=f"{OUT}/comparison", resume=True, **settings)
print(table.to_string(index=False, na_rep="-"))

# %% The one with all losses, and some photographs
import numpy as np

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED).labelled(LABELS)
model = kf.models.load(f"{OUT}/comparison/{kf.compare.folder_name(systems[0])}")
chosen = faces.take(np.random.default_rng(SEED).choice(len(faces), 8, replace=False))
images, labels = np.asarray(chosen.images[np.arange(8)]), chosen.labels.vectors

# %% The same code under every label
from keras_faces.applications import augment, inpaint, relabel, retrieve

names = list(model.label_names)
made = relabel.relabelled(model, images, names, labels)
kf.plots.save(relabel.figure_of(images, names, made), f"{OUT}/relabelled.png")

# %% Holes filled: as the source does it, and with z moved until it fits what is left
for name, steps in (("inpainting", 0), ("inpainting-z", 60)):
    found = inpaint.inpaint(model, images, labels=labels, z_steps=steps)
    kf.plots.save(inpaint.figure_of(found), f"{OUT}/{name}.png")
    print(f"{name}: {found.psnr()[0]:.1f} dB in the hole, {found.psnr()[1]:.1f} dB of the mean colour")

# %% Faces of the same pose and expression, by their codes
numbers, distances = retrieve.retrieve(model, images[:5], faces, k=7, labels=labels[:5])
kf.plots.save(retrieve.figure_of(images[:5], faces, numbers, distances), f"{OUT}/retrieval.png")

# %% Faces for a recogniser: 50 of each label, as a packed file
wanted = augment.augment(model, f"{OUT}/made.h5", per_label=50)
print(f"{len(wanted.persons)} faces in {OUT}/made.h5: read them with --data {OUT}/made.h5 --labels identity")
