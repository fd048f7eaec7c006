# %% [markdown]
# # 16. A GAN that is told which face to make
#
# **What it teaches.** The label goes into G beside the noise, and into D beside the face. D learns which of them belong
# together; so G must obey. How the label enters D matters: as more channels of the image (the textbook), or as a
# direction that D's features are projected on (Miyato and Koyama 2018).
#
# **Command.** `python examples/16_cgan.py` — or run the cells one by one.
#
# **Time.** Two trainings of about 1,900 iterations: about 5 minutes on two cores.
#
# **What one should see.** `classes-concatenate.png` and `classes-project.png`: a label a row, the same noise down each
# column. Where the label is understood, a row shares what it says, and a column all the rest. `strength.png`: glasses
# put on little by little, and further than any photograph has them.
#
# **Read beside it.** `keras_faces/models/conditional/cgan.py`, `keras_faces/training/conditional.py`,
# `keras_faces/data/labels.py`.

# %% What to try: "identity:20", "man = Male; woman = !Male", a packed file with its table of attributes
DATA = "drawn"  # or a packed file: "../celeba64.h5"
LABELS = "Smiling, Male, Eyeglasses"
IMAGE_SIZE = 32
IMAGES = 3000
EPOCHS = 20
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-16"

# %% Train both into run folders, as `keras-faces train cgan --labels ...` does
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED).labelled(LABELS)
settings = {"labels": LABELS, "epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED}
models = {}
for reads in ("concatenate", "project"):
    models[reads] = kf.train("cgan", faces, out=f"{OUT}/{reads}", discriminator_reads=reads, **settings)

# %% A label a row, the same noise down each column
from keras_faces.figures import label_grids

for reads, model in models.items():
    rows = label_grids.labels_to_show(model)
    images = label_grids.same_noise(model, rows, faces=8, seed=SEED)
    kf.plots.save(label_grids.figure_of_labels(model, rows, images), f"{OUT}/classes-{reads}.png")

# %% Labels are vectors, so one can calculate with them: half a pair of glasses, and one and a half
ADD, START, STRENGTHS = "Eyeglasses", "Male", [0, 0.25, 0.5, 0.75, 1, 1.5]
model = models["project"]
images = label_grids.strengths(model, ADD, START, STRENGTHS, faces=8, seed=SEED)
kf.plots.save(label_grids.figure_of_strengths(model, ADD, START, STRENGTHS, images), f"{OUT}/strength.png")
print(f"the pictures are in {OUT}; ask for faces with: keras-faces sample {OUT}/project --label {ADD}")
