# %% [markdown]
# # 20. From a sentence to a face
#
# **What it teaches.** A GAN that is told in words what to draw. Captions are written from the attributes of the
# faces; a text encoder learns to turn them into vectors φ_t; stage I draws a sketch of 32×32 from φ_t and noise, and
# stage II makes a picture of 64×64 of the sketch, reading the sentence once more. D is shown right and wrong
# sentences, so that it has to read them.
#
# **Command.** `python examples/20_stackgan.py` — or run the cells one by one.
#
# **Time.** About 5 minutes on two cores: half a minute for reading, two for stage I, the rest for stage II.
#
# **What one should see.** First ten captions, in English and Chinese. Then the text encoder: it finds the sentence of a
# face among 64 in about a third of the cases. `runs/lesson-20/evolution.png`: each column speaks of one attribute and
# of nothing else ("a man", "a person with blond hair"); after an epoch faces begin to differ as the sentences do.
# `sentences.png`: two rows for each sentence, stage I above stage II, the same noise down each column. In the curves,
# D(x, wrong sentence) falls below D(x, right sentence): from then on D reads.
#
# **Read beside it.** `keras_faces/data/captions/captions.py`, `keras_faces/models/networks/text_encoder.py`,
# `keras_faces/models/conditional/stackgan.py`.

# %% What to try: "first_iterations": 300 (sketches that are no use: stage II draws one face a sentence, whatever the
# noise), "kl_weight": 0, other attributes, 128 pixels, sentences of your own
DATA = "drawn"  # or a packed file with attributes: "celeba64.h5"
LABELS = "Smiling, Male, Eyeglasses, Young, Black_Hair, Blond_Hair, Gray_Hair, Wearing_Hat"
IMAGE_SIZE = 64
IMAGES = 2000
EPOCHS = 30
BATCH_SIZE = 32
OPTIONS = {"first_iterations": 1240, "text_iterations": 250, "average": 0.99}  # twenty epochs of stage I
SEED = 0
OUT = "runs/lesson-20"

# %% The faces, and what is said of them
import keras_faces as kf
from keras_faces.data.captions import Captions

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED).labelled(LABELS)
captions = Captions(faces.labels.names)
for number in range(10):
    print(f"  {captions.write(faces.labels.vectors[number], seed=number)}")

# %% A word that nobody has taught is told, not swallowed
try:
    captions.read("a smiling woman with purple hair")
except ValueError as error:
    print(error)

# %% Train: the text encoder first, then stage I, then stage II
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "sample_every": 50}
model = kf.train("stackgan", faces, labels=LABELS, out=OUT, **settings, **OPTIONS)

# %% Which sentence does a photograph fit? The text encoder's cosines, a row a face
sentences = [captions.write(faces.labels.vectors[number], seed=number) for number in range(8)]
for number, row in enumerate(model.text_encoder.fit_of(faces.images[range(8)], sentences)):
    print(f"face {number}: " + "  ".join(f"{cosine:5.2f}" for cosine in row) + f"   {sentences[number]}")

# %% Sentences, and the faces made of them: stage I, stage II
ASKED = [
    "a smiling young woman with blond hair",
    "a serious man with glasses",
    "an older man with gray hair",
    "一位微笑的女子，黑色头发，戴着眼镜",
]
rows = []
for sentence in ASKED:
    sketch = kf.plots.magnify(model.sample(6, seed=SEED, text=sentence, stage=1), IMAGE_SIZE)
    picture = model.sample(6, seed=SEED, text=sentence)
    said = ", ".join(name if so else f"not {name}" for name, so in captions.read(sentence).items())
    rows += [(f"{said}\nstage I", sketch), ("stage II", picture)]
kf.plots.save(kf.plots.evolution(rows, title="the same noise down each column"), f"{OUT}/sentences.png")

# %% The same person, one word changed
WORDS = ["a young woman", "a smiling young woman", "a smiling young woman with glasses", "a smiling young man"]
rows = [(sentence, model.sample(6, seed=3, text=sentence)) for sentence in WORDS]
kf.plots.save(kf.plots.evolution(rows, title="one word after the other"), f"{OUT}/words.png")
print(f'the pictures are in {OUT}; ask: keras-faces sample {OUT} --text "a smiling man with gray hair"')
