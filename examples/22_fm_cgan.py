# %% [markdown]
# # 22. A class at a time: feature centres in D and in a classifier
#
# **What it teaches.** A classifier C learns people or kinds of faces first. Then G is not asked for a score and not for
# a class: it is to make faces whose features have the *centre* that photographs' features have, in D once for all
# faces, and in C for each class (dissertation, chapter 3). Four losses, and each moves one network.
#
# **Command.** `python examples/22_fm_cgan.py` — or run the cells one by one.
#
# **Time.** 150 iterations of C and about 2,600 of all three: 4 minutes on two cores. `FULL = True` is tables 3.1 to
# 3.3 at 128×128, for a GPU and a night; a stopped one goes on.
#
# **What one should see.** `runs/lesson-22/evolution.png`: grey, then the ovals come at once when G's centre is near.
# `centres.png`: how far G's centre is in D and in C; both fall, and D's rises again whenever D has found something new.
# `classes.png`: a class a row, the same noise down each column. The printed table: how often another classifier, which
# G has never met, finds the class that was asked for.
#
# **Read beside it.** `keras_faces/models/dissertation/fm_cgan.py`,
# `keras_faces/models/dissertation/classifier_guidance.py` and `centres.py` beside it.

# %% What to try: "classifier_layers": ["flatten", "features"], "class_weight": 0.0, identity:20 of a packed file
DATA = "drawn"  # or a packed file: "../celeba64.h5"
LABELS = "man = Male & !Eyeglasses; man with glasses = Male & Eyeglasses; woman = !Male & !Eyeglasses"
LABELS += "; woman with glasses = !Male & Eyeglasses"
FULL = False
IMAGE_SIZE = 128 if FULL else 32
IMAGES = None if FULL else 3000
EPOCHS = 100 if FULL else 30
BATCH_SIZE = 128 if FULL else 32
OPTIONS = {"width": 64 if FULL else 24, "classifier_first": 300 if FULL else 150}
SEED = 0
OUT = "runs/lesson-22-full" if FULL else "runs/lesson-22"

# %% Train into a run folder, as `keras-faces train fm-cgan --labels ...` does
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED).labelled(LABELS)
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "sample_every": 50}
model = kf.train("fm-cgan", faces, labels=LABELS, out=f"{OUT}/run", resume=True, **settings, **OPTIONS)

# %% How far G's centres are from the photographs', in D and in C
import pandas

from keras_faces.figures.figure import Figure

log = pandas.read_csv(f"{OUT}/run/log.csv")
log = log[log["step"] > OPTIONS["classifier_first"]]  # before that only C learned
figure = Figure(figsize=(7, 3.4), layout="constrained")
axes = figure.add_subplot(yscale="log", xlabel="iteration", ylabel="½ ‖difference of the centres‖²")
for name, what in (("gd_loss", "in D (eq. 3.10)"), ("gc_loss", "in C, all classes (eq. 3.12)")):
    axes.plot(log["step"], log[name].rolling(20, min_periods=1).mean(), label=what)
axes.legend()
kf.plots.save(figure, f"{OUT}/centres.png")

# %% A class a row, the same noise down each column
from keras_faces.figures import label_grids

rows = label_grids.labels_to_show(model)
images = label_grids.same_noise(model, rows, faces=8, seed=SEED)
kf.plots.save(label_grids.figure_of_labels(model, rows, images), f"{OUT}/classes.png")

# %% A judge that G has never met: another classifier, trained as `keras-faces classify` does
judge = f"{OUT}/judge"
kf.classify(LABELS, faces, epochs=6, width=16, seed=SEED + 1, out=judge, resume=True)
_, table = kf.evaluate.consistency(model, judge, count=400, seed=SEED)
print(f"\nOf 400 faces, in per cent, beside real held-out ones:\n{table.to_string(na_rep='-', float_format='%.1f')}")
print(f"the pictures are in {OUT}; ask for faces with: keras-faces sample {OUT}/run --label '{rows[0]}'")
