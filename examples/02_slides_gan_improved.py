# %% [markdown]
# # 2. The improved pair
#
# **What it teaches.** What five changes do to the same game: BatchNormalization keeps every stage in range, ReLU and
# LeakyReLU pass the gradients that tanh swallows, strides replace pooling, Dropout keeps D from learning the photographs
# by heart, and the big dense layers go. A tenth of the weights of lesson 1.
#
# **Command.** `python examples/02_slides_gan_improved.py` — or run the cells one by one.
#
# **Time.** About 6 minutes on two cores.
#
# **What one should see.** In `runs/lesson-02/samples`: the first grids are already coloured, not grey (see
# `docs/the-step.md`); then one blurred face in all cells, which slowly become different people.
#
# **Read beside it.** `keras_faces/models/slides_v2.py`, and `docs/errata.md` on its 48×48, 64×64 and 96×96.

# %% What to try: 64 pixels, your own folder, SEPARATE_BATCHES = False
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 2000
EPOCHS = 6
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-02"
