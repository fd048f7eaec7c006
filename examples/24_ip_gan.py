# %% [markdown]
# # 24. IP-GAN: who it is, and all the rest
#
# **What it teaches.** A face is a person and a moment: a turn of the head, a light, a wall. A recogniser I tells who it
# is; an encoder A is taught by two losses alone to tell all the rest, and no more; G makes a face of both. Then the
# person of one picture can have the moment of another, also somebody whom no network has ever met.
#
# **Command.** `python examples/24_ip_gan.py` — or run the cells one by one. By the command line:
# `keras-faces classify --data faces.h5 --labels identity --image-size 32 --out runs/people`, then
# `keras-faces train ip-gan --data faces.h5 --labels identity --image-size 32 --option recogniser=runs/people`.
#
# **Time.** 3 minutes on two cores. `FULL = True` is the source's size, for a GPU and a night. A stopped one goes on.
#
# **What one should see.** `transfer.png`: rows share the person, columns share light and wall. `factors.csv` says the
# same in numbers, exactly, since drawn faces are made of numbers: hair and skin follow the subject, light and wall the
# other picture.
#
# **Read beside it.** `keras_faces/models/dissertation/ip_gan.py`, `keras_faces/metrics/factors.py`,
# `docs/dissertation.md`.

# %% What to try: "gc_weight": 0 (the person is lost), "kl_weight": 0 (A keeps the person), your own folders of people
DATA = "drawn"  # or a folder with a folder a person, such as LFW
FULL = False
IMAGE_SIZE = 128 if FULL else 32
EPOCHS = 40 if FULL else 14
BATCH_SIZE = 32
RECOGNISER = {"width": 64 if FULL else 16, "epochs": 30 if FULL else 10}
OPTIONS = (
    {"average": 0.99}
    if FULL
    else {"average": 0.99, "latent_dim": 64, "width": 24, "convolutions": 1, "learning_rate": 5e-4}
)
OUT = "runs/lesson-24-full" if FULL else "runs/lesson-24"

# %% The faces: 100 people with 40 pictures each to learn from; 60 strangers
from pathlib import Path

import numpy as np

import keras_faces as kf
from keras_faces.data.drawn import DrawnFaces

Path(OUT).mkdir(parents=True, exist_ok=True)


def drawn_people(people, pictures, seed):
    drawn = DrawnFaces(people * pictures, IMAGE_SIZE, seed=seed, identities=people)
    return kf.data.Faces(drawn[:], drawn.names, identities=drawn.identity_numbers, source="drawn people")


if DATA == "drawn":
    if not (path := Path(OUT) / "people.h5").exists():
        drawn_people(100, 40, seed=0).save(path)
    faces, strangers = kf.data.load(path, IMAGE_SIZE).labelled("identity"), drawn_people(60, 10, seed=1)
else:
    path, everybody = DATA, kf.data.load(DATA, IMAGE_SIZE)
    is_stranger = np.isin(everybody.identities, np.unique(everybody.identities)[::5])  # every fifth person
    strangers = everybody.take(np.flatnonzero(is_stranger))
    faces = everybody.take(np.flatnonzero(~is_stranger)).labelled("identity:8")  # with eight pictures or more

# %% First I, which is C too: a classifier of people
recogniser = f"{OUT}/recogniser"
kf.classify("identity", faces, out=recogniser, resume=True, **RECOGNISER)

# %% Then A, G and D, in two cases that alternate: the same picture twice, and two different ones
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "recogniser": recogniser, **OPTIONS}
model = kf.train("ip-gan", faces, out=f"{OUT}/ip-gan", labels="identity", resume=True, **settings)

# %% The person of a row with the attributes of a column: four people of the training, four strangers
from keras_faces.applications import attribute_morph, detection, frontal, person, transfer


def first_pictures(some, count, skip=0):
    numbers = np.unique(some.identities, return_index=True)[1]
    return some.images[numbers[np.arange(skip, skip + count) % len(numbers)]]


subjects = np.concatenate([first_pictures(faces, 4), first_pictures(strangers, 4)])
pictures = np.concatenate([first_pictures(faces, 4, skip=10), first_pictures(strangers, 4, skip=10)])
images = transfer.matrix(model, subjects, pictures)
kf.plots.save(transfer.figure(subjects, pictures, images), f"{OUT}/transfer.png")

# %% The same people with attributes from N(0, 1); on the way from one attribute to another; seen from the front
kf.plots.save(person.figure(subjects, person.people(model, subjects)), f"{OUT}/person.png")

first, last = pictures[:3], pictures[4:7]
path_images = attribute_morph.attribute_path(model, subjects[:3], first, last)
kf.plots.save(attribute_morph.figure(subjects[:3], first, last, path_images), f"{OUT}/attribute-morph.png")

several = strangers.images[: min(300, len(strangers))]
profiles = several[np.argsort(frontal.asymmetry(several))[-6:]]
fronts = several[frontal.fitting_fronts(profiles, several)]
kf.plots.save(frontal.figure(profiles, fronts, frontal.frontal(model, profiles, fronts)), f"{OUT}/frontal.png")

# %% How well it works, factor by factor: drawn faces of people whom nobody has met
if DATA == "drawn":
    from keras_faces.metrics.factors import FactorReader, carried_over, factors

    learned, asked = DrawnFaces(2000, IMAGE_SIZE, seed=11), DrawnFaces(800, IMAGE_SIZE, seed=12, identities=800)
    truth, drawings = factors(asked), asked[:]
    made = model.transfer(drawings[:400], drawings[400:])
    reader = FactorReader(learned[:], factors(learned))
    table = carried_over(reader, (drawings, truth), made, truth[:400], truth[400:])
    table.to_csv(f"{OUT}/factors.csv", index=False)
    print(table.round(2).to_string(index=False))

# %% Somebody wants to be taken for somebody else: can it be seen from what G makes of his picture?
one, other = detection.pairs_of_people(strangers, 40)
found, shown = detection.table(model, one, other)
kf.plots.save(detection.figure(shown, "θ = 0.4"), f"{OUT}/adversarial.png")
print(found.round(3).to_string(index=False))
print(f"the pictures are in {OUT}")
