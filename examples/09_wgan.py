# %% [markdown]
# # 9. The Wasserstein critic
#
# **What it teaches.** A loss that measures a distance: as the faces become better, it falls. The price: a critic whose
# weights are clipped to ±0.01, five of its steps for one of G, and patience.
#
# **Command.** `python examples/09_wgan.py` — or run the cells one by one.
#
# **Time.** About 3 minutes on two cores.
#
# **What one should see.** `runs/lesson-09/distance.png`: the estimated distance rises while the critic learns to
# measure, then falls while the faces appear. `weights.png`: the critic's weights crowd at both ends of the clip.
#
# **Read beside it.** `keras_faces/models/gans/wgan.py`; then lesson 10.

# %% What to try: the paper's rate 5e-5 and ten times as long, the option clip=0.02
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 40
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-09"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train("wgan", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=20)

# %% The distance that the critic estimates, iteration by iteration
import pandas

from keras_faces.figures.figure import Figure

log = pandas.read_csv(f"{OUT}/log.csv")
figure = Figure(figsize=(8, 3.5), layout="constrained")
axes = figure.subplots()
axes.plot(log["step"], -log["d_loss"])
axes.set(xlabel="iteration of G", ylabel="mean D(x) − mean D(G(z))")
axes.grid(alpha=0.3)
kf.plots.save(figure, f"{OUT}/distance.png")

# %% Where the clipped weights are
import keras
import numpy as np

kernels = [keras.ops.convert_to_numpy(v).ravel() for v in model.discriminator.trainable_variables if v.name == "kernel"]
figure = Figure(figsize=(8, 3.5), layout="constrained")
axes = figure.subplots()
axes.hist(np.concatenate(kernels), bins=100)
axes.set(xlabel="weight of the critic", yscale="log")
kf.plots.save(figure, f"{OUT}/weights.png")
print(f"the pictures are in {OUT}")
