# %% [markdown]
# # 11. Spectral normalisation
#
# **What it teaches.** Every layer of D divided by its largest singular value: however its weights grow, D's score
# cannot become steeper than a fixed bound, so G always has a gradient to learn by. No penalty, no second pass
# backwards, one number a layer.
#
# **Command.** `python examples/11_sngan.py` — or run the cells one by one.
#
# **Time.** About 2 minutes on two cores.
#
# **What one should see.** `runs/lesson-11/evolution.png`: grey, then an oval in the second epoch, then faces, each its
# own. The printed table: the weights have grown or shrunk as training liked, σ from 0.3 to 3, and the layers made of
# them have σ = 1 to within a tenth (u runs one round a step behind weights that are moving). `spectrum.png`: dividing
# by the largest singular value leaves the others in proportion, so D can look at many things at once; clipped weights
# keep but a few (figure 3 of the paper).
#
# **Read beside it.** `keras_faces/models/gans/sngan.py`, `keras_faces/layers/spectral.py`.

# %% What to try: 64 pixels, the paper's five steps of D ("d_steps": 5), your own folder
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 12
BATCH_SIZE = 32
OPTIONS = {}
SEED = 0
OUT = "runs/lesson-11"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train("sngan", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=50, **OPTIONS)

# %% The singular values of D's layers, by NumPy: of the weights as they are learnt, and of what the layers work with
import keras
import numpy as np

from keras_faces.layers.spectral import SpectralLayer


def singular_values(kernel):
    kernel = keras.ops.convert_to_numpy(kernel)
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)


spectra = {}
print(f"{'layer of D':24}{'σ of its weights':>18}{'σ of the layer':>18}")
for layer in model.discriminator.layers:
    if isinstance(layer, SpectralLayer):
        learnt, working = singular_values(layer.kernel), singular_values(layer.normalised_kernel())
        spectra[layer.name] = working
        print(f"{layer.name:24}{learnt[0]:18.3f}{working[0]:18.3f}")

# %% All singular values, largest first
from keras_faces.figures.figure import Figure

figure = Figure(figsize=(6, 3.5), layout="constrained")
axes = figure.subplots()
for name, values in spectra.items():
    axes.plot(np.linspace(0, 1, len(values)), values, marker="o" if len(values) == 1 else None, label=name)
axes.set(xlabel="share of the singular values", ylabel="size", ylim=(0, 1.2))
axes.legend()
kf.plots.save(figure, f"{OUT}/spectrum.png")
print(f"the pictures are in {OUT}; go on with: keras-faces train sngan --resume --epochs 30 --out {OUT}")
