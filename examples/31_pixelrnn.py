# %% [markdown]
# # 31. PixelRNN: an LSTM that goes down the rows
#
# **What it teaches.** The same probability of a picture as in lesson 30, by a recurrent network: a Row LSTM remembers
# the rows above as long as it likes, where a convolution sees a fixed number of them. But in training its rows come one
# after the other; PixelCNN does all at once. Both are compared here at the same time budget.
#
# **Command.** `python examples/31_pixelrnn.py` — or run the cells one by one.
#
# **Time.** About 6 minutes on two cores.
#
# **What one should see.** `bits.png`: bits per dimension over seconds. Two Row LSTMs take as long for an iteration as
# four blocks of PixelCNN, and learn less in it. `triangle.png`: what one output of a Row LSTM depends on, a triangle
# that widens upwards; `faces.png`: both painters' faces, of the same noise.
#
# **Read beside it.** `keras_faces/models/autoregressive/pixelrnn.py`, `keras_faces/layers/row_lstm.py`.

# %% What to try: more Row LSTMs ("depth": 3), your own folder
DATA = "drawn"  # or a folder, or a packed file
IMAGES = 1600
SECONDS = 150  # of training, for each of both
IMAGE_SIZE = 32
BATCH_SIZE = 16
OPTIONS = {"pixelcnn": {"width": 24, "depth": 4}, "pixelrnn": {"width": 24, "depth": 2}}
SEED = 0
OUT = "runs/lesson-31"

# %% The faces, and a clock that stops a training
import time

import keras
import numpy as np

import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)
held_out = faces.images[:64]
learned = faces.take(np.arange(64, len(faces)))


class Clock(keras.callbacks.Callback):
    """Stops after so many seconds of training; measures held-out faces ten times on the way, which is not counted."""

    def __init__(self, seconds):
        super().__init__()
        self.limit, self.spent, self.points = seconds, 0.0, []

    def on_train_batch_begin(self, batch, logs=None):
        self.since = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        first = self.model.step_count() == 1  # the step is compiled in it
        self.spent += 0.0 if first else time.perf_counter() - self.since
        if self.spent >= self.limit * (len(self.points) + 1) / 10:
            self.points.append((self.spent, self.model.step_count(), self.model.bits_per_dimension(held_out).mean()))
        self.model.stop_training = self.spent >= self.limit


# %% Train both for the same time, and note the bits
models, clocks = {}, {}
for name, options in OPTIONS.items():
    models[name] = kf.models.build(name, image_size=IMAGE_SIZE, seed=SEED, **options)
    clocks[name] = Clock(SECONDS)
    while not models[name].stop_training:
        models[name].fit(learned.batches(BATCH_SIZE, seed=SEED), epochs=1, callbacks=[clocks[name]], verbose=2)

# %% Bits over time
import os

from keras_faces.figures.figure import Figure

os.makedirs(OUT, exist_ok=True)
figure = Figure(figsize=(6, 3.5), layout="constrained")
axes = figure.subplots()
for name, clock in clocks.items():
    seconds, iterations, bits = zip(*clock.points, strict=True)
    axes.plot(seconds, bits, marker="o", label=f"{name}, {iterations[-1]} iterations")
    print(f"{name}: {bits[-1]:.2f} bits per dimension of held-out faces after {iterations[-1]} iterations")
axes.set(xlabel="seconds of training", ylabel="bits per dimension, held-out faces")
axes.legend()
kf.plots.save(figure, f"{OUT}/bits.png")

# %% What one output of the Row LSTM depends on
from keras_faces.layers.row_lstm import RowLSTM

lstm, side, place = RowLSTM(6, dtype="float32"), 15, 8
maps = np.zeros((side * side, side, side, 3), "float32")
where = np.arange(side * side)
changed = maps.copy()
changed[where, where // side, where % side] = 1.0  # one place of each copy
before, after = (keras.ops.convert_to_numpy(lstm(one))[:, -1, place] for one in (maps, changed))
moved = (np.abs(after - before).max(axis=1) > 0).reshape(side, side, 1)
picture = np.where(moved, [255, 140, 0], [235, 235, 235]).astype("uint8")
picture[-1, place] = [0, 0, 200]
kf.plots.save(
    kf.plots.side_by_side([("what a Row LSTM knows", picture[None])], across=1),
    f"{OUT}/triangle.png",
)

# %% Both painters, the same noise
columns = [(name, model.sample(16, seed=SEED)) for name, model in models.items()]
kf.plots.save(kf.plots.side_by_side(columns), f"{OUT}/faces.png")
print(f"the pictures are in {OUT}; a run to go on with: keras-faces train pixelrnn --data drawn")
