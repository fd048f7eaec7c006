# %% [markdown]
# # 18. SGAN: what are labels worth?
#
# **What it teaches.** A D that sorts faces into classes and one more, "fake", learns from faces that nobody labelled:
# all it has to know of them is that they are not fake. How many labels does that save? A curve answers: accuracy on
# people whom neither has seen, against the number of labels, beside the same D trained on these labels alone.
#
# **Command.** `python examples/18_sgan.py` — or run the cells one by one. One training by the command line:
# `keras-faces train sgan --data drawn --labels Male --keep-labels 40`.
#
# **Time.** About 4 minutes on two cores: a pair of trainings for each number of labels.
#
# **What one should see.** `runs/lesson-18/labels.png`. Of 1,000 faces, with 10 labels sgan put 66 % right and the same
# D alone 65 % (always the commonest class: 57 %), with 40 labels 74 % and 66 %, with 160 labels 86 % and 84 %: so many
# labels say by themselves what is meant. It takes time: after a quarter of these iterations D had not learnt enough
# from the faces without labels, and was no better than alone. One seed a point is a noisy curve (with 10 labels two
# others had 71 % and 76 %): `SEEDS = (0, 1, 2)` shows by how much.
#
# **Read beside it.** `keras_faces/models/conditional/sgan.py`, `keras_faces/data/mixed_batches.py`,
# `keras_faces/runs/label_curve.py`.

# %% What to try: "Smiling" or "Eyeglasses", "generator_learns": "adversarial", CelebA packed with its attributes
DATA = "drawn"  # or a packed file: "../celeba32.h5"
LABELS = "Male"
KEEP = (10, 40, 160)
IMAGE_SIZE = 32
IMAGES = 1500
HELD_OUT = 1000
ITERATIONS = 1000
BATCH_SIZE = 48
OPTIONS = {"width": 24}
SEEDS = (0,)
OUT = "runs/lesson-18"

# %% The faces: to learn from, and others to be judged by; of drawn faces other people
import numpy as np

import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES + (0 if DATA == "drawn" else HELD_OUT)).labelled(LABELS)
if DATA == "drawn":
    held_out = kf.data.load(DATA, image_size=IMAGE_SIZE, count=HELD_OUT, seed=1).labelled(LABELS)
else:
    order = np.random.default_rng(0).permutation(len(faces))
    faces, held_out = faces.take(order[HELD_OUT:]), faces.take(order[:HELD_OUT])

# %% One training into a run folder: the curves of D's two tasks, and the faces that G makes beside them
epochs = max(1, round(ITERATIONS * BATCH_SIZE / 2 / len(faces)))
settings = {"epochs": epochs, "batch_size": BATCH_SIZE, "seed": SEEDS[0], "sample_every": 100}
model = kf.train("sgan", faces, labels=LABELS, keep_labels=KEEP[1], out=f"{OUT}/run", **settings, **OPTIONS)

# %% What D says of the first held-out faces, given that they are real
for said, truth in zip(model.classify(held_out.images[:8]), held_out.labels.class_ids[:8], strict=True):
    print(f"{model.class_names[said.argmax()]:>12} ({said.max():.0%})   is: {model.class_names[truth]}")

# %% The curve
from keras_faces.runs.label_curve import curve, label_curve

table = label_curve(faces, held_out, KEEP, ITERATIONS, BATCH_SIZE, SEEDS, **OPTIONS)
print(table.round(3).to_string(index=False))
kf.plots.save(curve(table, f"{LABELS}, {len(faces):,} faces of which so many have labels"), f"{OUT}/labels.png")
print(f"the pictures are in {OUT}")
