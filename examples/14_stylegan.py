# %% [markdown]
# # 14. StyleGAN: who rules over what
#
# **What it teaches.** In all networks before, noise came in at the bottom and everything in the face followed from it.
# Here a mapping network makes w of the noise, and w sets the *style* of every layer: mean and spread of each channel
# (AdaIN). Coarse layers rule over pose and shape, fine ones over colours; since every layer has a w of its own, the
# coarse half of one face can be laid under the fine half of another. What is left to chance comes from fresh noise in
# every layer. And w has a mean: the mean face, towards which odd faces can be drawn.
#
# **Command.** `python examples/14_stylegan.py` — or run the cells one by one.
#
# **Time.** About 5 minutes on two cores.
#
# **What one should see.** In `runs/lesson-14/evolution.png`: patches of colour, then heads, then eyes, mouths and hair.
# In `mixing.png` each row keeps one shape of head and each column one set of colours. In `truncation.png` the faces
# come nearer to each other, meet in the mean face at ψ = 0, and go on to their opposites.
#
# **Read beside it.** `keras_faces/models/gans/stylegan.py`; `keras_faces/layers/adain.py`, the equation.

# %% What to try: CROSSOVER 1 to 7, MIXING 0 (do rows and columns still keep apart?), your own folder, 64 pixels
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 16
BATCH_SIZE = 16
MIXING = 0.9
CROSSOVER = 6
SEED = 0
OUT = "runs/lesson-14"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Train into a run folder, as `keras-faces train stylegan` does
model = kf.train(
    "stylegan", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=125, mixing=MIXING
)

# %% Style mixing: the shape of the face on the left, the colours of the one above
from keras_faces.figures.stylegan import style_mixing_figure, truncation_figure

kf.plots.save(style_mixing_figure(model, crossover=CROSSOVER, seed=3), f"{OUT}/mixing.png")

# %% Truncation in w: from the faces themselves to the mean face, and beyond it to their opposites
kf.plots.save(truncation_figure(model, seed=3), f"{OUT}/truncation.png")

# %% The same styles with other noise: what is left to chance, and how strong each layer has learned to make it
import keras
import numpy as np

from keras_faces.layers.noise import NoiseInjection
from keras_faces.training.sampling import latent_noise

w = model.styles(latent_noise(8, model.latent_dim, seed=4))
draws = [model.synthesize(w, noise_seed=seed) for seed in range(20)]
spread = np.std(draws, axis=0).mean(axis=-1, keepdims=True)  # where the pixels change with the noise
change = np.repeat(np.clip(8 * spread, 0, 255), 3, axis=-1).astype("uint8")
rows = [("noise 1", draws[0]), ("noise 2", draws[1]), ("what changes,\n8 times", change)]
kf.plots.save(kf.plots.evolution(rows, title="one w, other noise"), f"{OUT}/noise.png")
for layer in model.synthesis.layers:
    if isinstance(layer, NoiseInjection):
        side, strength = layer.output.shape[1], layer.rate * np.abs(keras.ops.convert_to_numpy(layer.strength)).mean()
        print(f"noise at {side}×{side}: mean strength {strength:.3f}")
print(f"the pictures are in {OUT}; go on with: keras-faces train stylegan --resume --epochs 60 --out {OUT}")
