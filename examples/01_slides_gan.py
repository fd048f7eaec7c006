# %% [markdown]
# # 1. The slide deck's GAN
#
# **What it teaches.** Two networks, one game: a generator G makes faces of noise, a discriminator D says how real they
# look. In each iteration D learns first, on fakes (label 0) and photographs (label 1), then G learns to get the score 1
# from D, which stands still meanwhile. The hidden activations are tanh, as on the slides; D ends in a sigmoid.
#
# **Command.** `python examples/01_slides_gan.py` — or run the cells one by one.
#
# **Time.** About 4 minutes on two cores.
#
# **What one should see.** `runs/lesson-01/samples`: coloured noise at first, a dark and a bright half after some ten
# iterations, then outlines of heads; by the last epoch most cells are faces, rough and high in contrast. In
# `losses.png`, D's loss lies below ln 2 = 0.69 and G's above it: D is a little ahead, as it should be.
#
# **Read beside it.** `keras_faces/models/gans/slides_v1.py` (the two networks), `docs/the-step.md` (the iteration).

# %% What to try: other seeds, 64 pixels, your own folder of photographs
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 8
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-01"

# %% The faces, uint8 until they are on the device
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES)
print(faces.summary())

# %% The two networks. At 64 pixels they have the 34,031,363 and 25,901,953 parameters of the slides
model = kf.models.build("slides-v1", image_size=IMAGE_SIZE, seed=SEED)
model.generator.summary()
model.discriminator.summary()

# %% Before any training: what does G make of noise?
from pathlib import Path

Path(OUT).mkdir(parents=True, exist_ok=True)
kf.plots.save(kf.plots.grid(model.sample(16), title="before training"), f"{OUT}/before.png")

# %% Train with Keras's own fit, progress bar included; after each epoch look at the same 16 faces
import keras

moments = []


class Look(keras.callbacks.Callback):
    """After each epoch: the faces that the same noise gives now."""

    def on_epoch_end(self, epoch, logs=None):
        moments.append((f"epoch {epoch + 1}", model.sample(8, seed=1)))
        kf.plots.save(kf.plots.evolution(moments, title="slides-v1"), f"{OUT}/evolution.png")


history = model.fit(faces.batches(BATCH_SIZE, seed=SEED), epochs=EPOCHS, callbacks=[Look()])

# %% Did D win, did G? Both losses, epoch by epoch
losses = history.history["d_loss"], history.history["g_loss"]
for epoch, (d_loss, g_loss) in enumerate(zip(*losses, strict=True), start=1):
    print(f"epoch {epoch}: D {d_loss:.3f}   G {g_loss:.3f}")

# %% New faces, and the same ones from truncated noise: less variety, fewer monsters
kf.plots.save(kf.plots.grid(model.sample(64, seed=2)), f"{OUT}/faces.png")
kf.plots.save(kf.plots.grid(model.sample(64, seed=2, truncation=0.7)), f"{OUT}/faces-truncated.png")
print(f"the pictures are in {OUT}")
