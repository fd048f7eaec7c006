# %% [markdown]
# # 13. Growing
#
# **What it teaches.** A face of 4×4 pixels is soon learned. So both networks begin there, and get a block for twice the
# size again and again, faded in so that nothing learned is shaken. The coarse comes first and cheaply, details last.
#
# **Command.** `python examples/13_pggan.py` — or run the cells one by one.
#
# **Time.** About 2 minutes on two cores.
#
# **What one should see.** `runs/lesson-13/stages.png`: the photographs as D sees them at each stage. In
# `runs/lesson-13/evolution.png` the faces grow with it: 16 squares, then stains with a dark top, then hair and a face,
# then eyes and mouths. A new block brings a coloured veil at first; it lifts while α goes to 1. The table at the end:
# an iteration at 4×4 costs a fraction of one at 32×32 (each stage pays for tracing its step anew).
#
# **Read beside it.** `keras_faces/models/gans/pggan.py`, `keras_faces/layers/equalized.py` and `fade.py`.

# %% What to try: 64 pixels, longer stages, {"loss": "non-saturating", "r1": 1.0}, {"fade_iterations": 1}: no fade
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 14
BATCH_SIZE = 16
OPTIONS = {"fade_iterations": 100, "steady_iterations": 100}
SEED = 0
OUT = "runs/lesson-13"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "sample_every": 50}
model = kf.train("pggan", faces, out=OUT, precision="bfloat16", **settings, **OPTIONS)

# %% What D was shown: the same photographs at each stage, pixels repeated
import keras
import numpy as np

photographs = next(iter(faces.batches(8, seed=SEED)))[0]
rows = []
for side in model.sides:
    factor = IMAGE_SIZE // side
    small = keras.ops.average_pool(np.asarray(photographs, "float32"), factor, factor)
    pixels = keras.ops.convert_to_numpy(small).repeat(factor, axis=1).repeat(factor, axis=2)
    rows.append((f"{side}×{side}", pixels.round().astype("uint8")))
kf.plots.save(kf.plots.evolution(rows, title="what D is shown"), f"{OUT}/stages.png")

# %% What each size cost: seconds an iteration, from the log
import pandas

log = pandas.read_csv(f"{OUT}/log.csv")
seconds = np.interp(np.arange(log["step"].iloc[-1] + 1), log["step"], log["seconds"])
last = len(seconds) - 1
begins = [0, *(min(last, model.begin(side)) for side in model.sides[1:]), last]
for side, begin, end in zip(model.sides, begins[:-1], begins[1:], strict=True):
    cost = (seconds[end] - seconds[begin]) / max(1, end - begin)
    print(f"{side:3}×{side:<3} iterations {begin:5} to {end:5}: {cost:.3f} s each")
print(f"the pictures are in {OUT}; go on with: keras-faces train pggan --resume --epochs 30 --out {OUT}")
