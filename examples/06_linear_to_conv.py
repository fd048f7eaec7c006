# %% [markdown]
# # 6. The LFW paper's sequence: sigmoid, tanh, convolutions
#
# **What it teaches.** Three generators for the same faces: fully connected with a sigmoid, the same with a tanh, and
# convolutions. The paper finds clearer outlines with tanh; the convolutional section it left empty shows the rest.
#
# **Command.** `python examples/06_linear_to_conv.py` — or run the cells one by one.
#
# **Time.** About 6 minutes on two cores. The paper's own size is 125: about four times as long.
#
# **What one should see.** `runs/lesson-06/sequence.png`: the fully connected pair makes one grainy head for
# all noise, with tanh paler and with cleaner outlines; the convolutional one makes different faces without grain.
#
# **Read beside it.** `keras_faces/models/gans/linear.py`, `linear_tanh.py`, `conv.py`, and `docs/errata.md` on the
# paper.

# %% What to try: the paper's 125 pixels, a folder of LFW
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 64
IMAGES = 2000
EPOCHS = 15
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-06"

# %% What the tables say if every layer is taken literally: counted, not allocated
from keras_faces.models.gans import linear

print(linear.report(image_size=128, divisor=1))
print(linear.report(image_size=IMAGE_SIZE))

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Train the three, each into a run folder of its own
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "sample_every": 50}
rows = []
for system in ("linear", "linear-tanh", "conv"):
    model = kf.train(system, faces, out=f"{OUT}/{system}", **settings)
    rows.append((system, model.sample(8, seed=1)))

# %% Side by side
kf.plots.save(kf.plots.evolution(rows, title="sigmoid, tanh, convolutions"), f"{OUT}/sequence.png")
print(f"the pictures are in {OUT}")
