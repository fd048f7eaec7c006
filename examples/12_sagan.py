# %% [markdown]
# # 12. Attention
#
# **What it teaches.** A convolution sees a few pixels around it. Self-attention lets every place of the map look at
# every other in one step: one eye at the other, the left rim of the hair at the right one. And two rates, a fast D and
# a slow G, do what several steps of D did before.
#
# **Command.** `python examples/12_sagan.py` — or run the cells one by one.
#
# **Time.** About 2 minutes on two cores.
#
# **What one should see.** `runs/lesson-12/evolution.png`: coloured stains, then heads by the third epoch, then faces,
# each its own. The printed γ: attention began with weight 0 and has moved from it, by a few hundredths so far.
# `attention.png`: where an eye, the mouth and the background of each face look, yellow. Hardly ever at themselves: at
# the rim of the picture, the collar, the outline of the hair, places that a convolution around them would not reach.
#
# **Read beside it.** `keras_faces/models/gans/sagan.py`, `keras_faces/layers/attention.py`.

# %% What to try: other places of the face, 64 pixels, your own folder, more epochs
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 10
BATCH_SIZE = 32
PLACES = ((0.45, 0.35), (0.75, 0.5), (0.1, 0.1))  # (down, across): an eye, the mouth, the background
SEED = 0
OUT = "runs/lesson-12"

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train("sagan", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=50)

# %% How much of the attention each network lets in: γ, which began at 0
import keras

from keras_faces.layers.attention import SelfAttention

for name, network in (("G", model.generator), ("D", model.discriminator)):
    gamma = next(layer.gamma for layer in network.layers if isinstance(layer, SelfAttention))
    print(f"γ of {name}: {float(keras.ops.convert_to_numpy(gamma)):+.3f}")

# %% Where the places of a face look
from keras_faces.figures.sagan import attention_figure
from keras_faces.training.sampling import latent_noise

noise = latent_noise(4, model.latent_dim, seed=5)
kf.plots.save(attention_figure(model, noise, PLACES), f"{OUT}/attention.png")
print(f"the pictures are in {OUT}; go on with: keras-faces train sagan --resume --epochs 30 --out {OUT}")
