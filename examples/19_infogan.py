# %% [markdown]
# # 19. InfoGAN: codes that nobody named
#
# **What it teaches.** Beside its noise G gets a code: a category and a few numbers. Nobody says what they are for. A
# second reader, Q, must name the code of each fake, and G is paid when it can. So each code turns into something that
# can be seen, and is told apart from the others. No label is used.
#
# **Command.** `python examples/19_infogan.py` — or run the cells one by one. The picture of any run:
# `keras-faces traverse RUN --faces 2`.
#
# **Time.** About 1 minute on two cores.
#
# **What one should see.** `runs/lesson-19/traversals.png`: the category changes the person, one number turns the light
# from left to right, the other makes the wall darker or lighter, and the noise is left with smiles and tilts. The
# printed table (and `effects.png`) says it in correlations: 1.00 of the category with skin and hair, 0.96 of one number
# with the light, 0.94 of the other with the wall; the largest of the rest is 0.3, but for the smile (0.4), which the
# reader hardly sees. Which number gets what, and which way round, changes with the seed.
#
# With `TURN = 0.5` there is one thing more to find than there are codes, and they no longer come out one each: the
# person (1.00) and the light (0.83) do, the other number shares light (0.43) and turning (0.34). With `FACES = "all"`
# much more varies than three codes can hold: one number finds the light, the others share skin and colours.
#
# **Read beside it.** `keras_faces/models/conditional/infogan.py`, `keras_faces/figures/traverse.py`.

# %% What to try: another seed (other codes), "veil": 0.0 (codes that Q reads and nobody sees), FACES = "all"
FACES = "two people"  # or "all": every drawn face, with some fifty things that vary
TURN = 0.1  # radians to either side; with 0.5 there is one thing more to find than there are numbers
IMAGE_SIZE = 32
IMAGES = 1600
EPOCHS = 20
BATCH_SIZE = 32
OPTIONS = {"width": 32, "latent_dim": 2, "categories": [2], "continuous_dim": 2}
SEED = 1
OUT = "runs/lesson-19"

# %% The faces. The paper looks for pose and light in rendered heads; here are two people in front of lighter and
# darker walls, lit from the left and from the right. Little else varies: smiles, gazes, a tilt, a slight turn.
from dataclasses import replace

import numpy as np

import keras_faces as kf
from keras_faces.data.drawn import DrawnFaces, draw_appearance, draw_identity, portrait

LOOKS = ((0.15, "long", "blond"), (0.75, "curly", "brown"))  # skin, hair
SOMEBODY = replace(draw_identity(0, 1), male=False, age=0.2, bangs=False)
PEOPLE = [replace(SOMEBODY, melanin=skin, hair_cut=cut, hair_colour=hair) for skin, cut, hair in LOOKS]
PLAIN = {"glasses": "none", "hat": "none", "earrings": False, "clothes": "crew"}
PLAIN |= {"clothes_light": 0.35, "clothes_colour": 0.3, "clothes_hue": 0.6, "light_strength": 1.0, "light_warmth": 0.1}


def factors(number, seed):
    """Who and how, of picture `number`: the two numbers that vary much are uniform, as InfoGAN's codes are."""
    if FACES == "all":
        return DrawnFaces(IMAGES, IMAGE_SIZE, seed=seed).factors(number)
    random = np.random.default_rng([seed, number])
    person = PEOPLE[random.integers(len(PEOPLE))]
    turn, light, wall = random.uniform(-1, 1, 3)
    how = {"yaw": TURN * turn, "light_x": 0.9 * light, "backdrop_light": 0.5 + 0.45 * wall}
    how |= {"backdrop_colour": 0.0, "backdrop_contrast": 0.3}
    return person, replace(draw_appearance(seed, number, person), **PLAIN, **how)


def draw(count, seed):
    """Pictures uint8 (count, IMAGE_SIZE, IMAGE_SIZE, 3), and their factors."""
    known = [factors(number, seed) for number in range(count)]
    return np.stack([portrait(*one, IMAGE_SIZE) for one in known]), known


images, _ = draw(IMAGES, SEED)
faces = kf.data.Faces(images, source="drawings")

# %% Train into a run folder, as `keras-faces train` does; "info_loss" falls as the faces begin to tell their codes
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "sample_every": 100}
model = kf.train("infogan", faces, out=OUT, **settings, **OPTIONS)
kf.plots.save(kf.plots.grid(images[:48], 12, "the faces to learn from"), f"{OUT}/faces.png")

# %% The traversals: one row a code, the same noise
from keras_faces.figures import traverse

rows = traverse.traversals(model, faces=2, seed=SEED)
kf.plots.save(traverse.picture(rows, "one code moves, all else stays"), f"{OUT}/traversals.png")

# %% What does each code move? Drawn faces know their factors exactly; a linear map learns to read them off the pixels
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

FACTORS = {
    "light of the wall": lambda person, picture: picture.backdrop_light,
    "light from the right": lambda person, picture: picture.light_x,
    "turned to the right": lambda person, picture: picture.yaw,
    "darkness of the skin": lambda person, picture: person.melanin,
    "length of the hair": lambda person, picture: person.hair_cut in ("long", "bob", "medium"),
    "tilted": lambda person, picture: picture.roll,
    "smile": lambda person, picture: picture.smile,
}
images, known = draw(2000, SEED + 1)
truth = np.array([[factor(*one) for factor in FACTORS.values()] for one in known], "float64")
truth = StandardScaler().fit_transform(truth)
pixels = images.reshape(len(images), -1) / 255.0
reader = Ridge(30.0).fit(pixels[:1500], truth[:1500])
missed = ((reader.predict(pixels[1500:]) - truth[1500:]) ** 2).mean(0) / truth[1500:].var(0)


def measure(images):
    """What the reader sees in images uint8 (count, H, W, 3): a name and a number for each, factor by factor."""
    return dict(zip(FACTORS, reader.predict(images.reshape(len(images), -1) / 255.0).T, strict=True))


table = traverse.effects(model, measure, count=1000, seed=SEED)
table.insert(0, "share read", 1 - missed)
print(table.round(2).to_string())

# %% As a picture: which code moves what
from keras_faces.figures.figure import Figure

codes = table.drop(columns="share read")
figure = Figure(figsize=(2.5 + 1.1 * codes.shape[1], 4), layout="constrained")
axes = figure.subplots()
axes.imshow(codes, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
axes.set_xticks(range(codes.shape[1]), codes.columns)
axes.set_yticks(range(codes.shape[0]), codes.index)
for row, column in np.ndindex(*codes.shape):
    value = codes.iat[row, column]
    axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if abs(value) > 0.6 else "black")
kf.plots.save(figure, f"{OUT}/effects.png")
print(f"the pictures are in {OUT}; more rows: keras-faces traverse {OUT} --faces 4 --out rows.png")
