# %% [markdown]
# # 30. PixelCNN: a face pixel by pixel
#
# **What it teaches.** A probability for every picture, p(x) = Π p(xᵢ | x₁ … xᵢ₋₁): no D, no game, one plain number that
# says how good the model is, on faces that it has never seen, too. Masked convolutions see to it that no pixel knows
# itself or what follows. And the price: a face is painted one colour of one pixel after the other.
#
# **Command.** `python examples/30_pixelcnn.py` — or run the cells one by one.
#
# **Time.** About 6 minutes on two cores.
#
# **What one should see.** `bits.png`: bits per dimension fall from about 5 (8 is what a model without any idea has) and
# are nearly the same for faces that were held out. `blind-spot.png`: what one pixel depends on, for masks on top of
# each other and for the two stacks. `evolution.png`: first smooth clouds, then walls and bodies, at last, in some, a
# head; details are right before the whole is. `completions.png`: the upper half is given; hair and skin go on from
# there, each time in another way, mouths seldom yet.
# Printed: how much quicker a face is painted when nothing is computed twice.
#
# **Read beside it.** `keras_faces/models/autoregressive/pixelcnn.py`, `keras_faces/layers/masked_conv.py`,
# `keras_faces/layers/gated_block.py`, `keras_faces/models/autoregressive/base.py`.

# %% What to try: {"output": "softmax"}, the paper's 256 levels; {"depth": 8}; your own folder
DATA = "drawn"  # or a folder, or a packed file
IMAGES = 2400
EPOCHS = 20
IMAGE_SIZE = 32
BATCH_SIZE = 16
OPTIONS = {"width": 24, "depth": 4}
SEED = 0
OUT = "runs/lesson-30"

# %% The faces; every twelfth is held out
import keras
import numpy as np

import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)
numbers = np.arange(len(faces))
held_out, learned = faces.take(numbers[::12]), faces.take(np.delete(numbers, numbers[::12]))
print(f"{len(learned)} faces to learn from, {len(held_out)} held out")


# %% How well it knows faces that were held out, after each epoch
class HeldOut(keras.callbacks.Callback):
    """Bits per dimension of faces that were held out, at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.bits = []

    def on_epoch_end(self, epoch, logs=None):
        self.bits.append(self.model.bits_per_dimension(held_out.images[:100]).mean())


# %% Train into a run folder
watch = HeldOut()
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "sample_every": 10_000}
model = kf.train("pixelcnn", learned, out=OUT, callbacks=[watch], **settings, **OPTIONS)

# %% One number: bits per dimension
import cv2
import pandas

from keras_faces.figures.figure import Figure

log = pandas.read_csv(f"{OUT}/log.csv")
figure = Figure(figsize=(6, 3.5), layout="constrained")
axes = figure.subplots()
axes.plot(log["step"], log["bits_loss"], label="faces learned from")
axes.plot(log.groupby("epoch")["step"].max(), watch.bits, marker="o", label="held-out faces, averaged weights")
axes.axhline(8.0, color="grey", linestyle=":", label="no idea: 8 bits")
axes.set(xlabel="iteration", ylabel="bits per dimension")
axes.legend()
kf.plots.save(figure, f"{OUT}/bits.png")
files = [len(cv2.imencode(".png", face)[1]) * 8 / face.size for face in held_out.images[:100]]
print(f"held out: {watch.bits[-1]:.2f} bits per dimension; as PNG files they take {np.mean(files):.2f}")

# %% The blind spot: what the output in the middle depends on, by its gradient
from keras_faces.layers.masked_conv import MaskedConv2D

stacked = keras.Sequential(
    [keras.layers.Input((IMAGE_SIZE, IMAGE_SIZE, 3)), MaskedConv2D(24, 3, "A")]
    + [MaskedConv2D(24, 3, "B") for _ in range(4)]
)
middle = IMAGE_SIZE // 2
image = np.repeat(model.preprocess(held_out.images[:1]), IMAGE_SIZE * IMAGE_SIZE, axis=0)
changed = np.array(image)
places = np.arange(IMAGE_SIZE * IMAGE_SIZE)
changed[places, places // IMAGE_SIZE, places % IMAGE_SIZE] += 0.5  # one pixel of each copy
seen = []
for network in (stacked, model.generator):
    before, after = (
        network.predict(copies, batch_size=64, verbose=0)[:, middle, middle] for copies in (image, changed)
    )
    moved = np.abs(after - before).reshape(len(places), -1).max(axis=1) > 1e-6
    seen.append(np.where(moved.reshape(IMAGE_SIZE, IMAGE_SIZE, 1), [255, 140, 0], [235, 235, 235]).astype("uint8"))
    seen[-1][middle, middle] = [0, 0, 200]
columns = [("masks on top of each other", seen[0][None]), ("two stacks", seen[1][None])]
kf.plots.save(kf.plots.side_by_side(columns, across=1, title="what the blue pixel depends on"), f"{OUT}/blind-spot.png")

# %% Half a face, and four ways to go on
from keras_faces.figures import complete

some = held_out.images[:8]
hidden = complete.hidden_part("lower", IMAGE_SIZE)
completed = complete.completions(model, some, hidden, times=4, seed=SEED)
kf.plots.save(complete.figure(some, hidden, completed), f"{OUT}/completions.png")

# %% What it saves to compute nothing twice
import time


def seconds(function, *arguments, **options):
    function(*arguments, **options)  # compiled in the first call
    begin = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - begin


quick = seconds(model.sample, 36, seed=1)
pixels = np.array(model.preprocess(some.repeat(5, axis=0)[:36]))
whole = seconds(model.generator.predict, pixels, batch_size=36, verbose=0) * IMAGE_SIZE * IMAGE_SIZE * 3
print(
    f"36 faces: {quick:.1f} s; by a whole pass for each colour of each pixel about {whole:.0f} s, "
    f"{whole / quick:.0f} times as long"
)
print(f"the pictures are in {OUT}; more: keras-faces sample {OUT} --count 16")
