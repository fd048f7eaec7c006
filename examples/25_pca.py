# %% [markdown]
# # 25. Eigenfaces
#
# **What it teaches.** The oldest way to make faces, and the bar that every network has to clear: all faces as one
# normal distribution. Its axes are pictures, the eigenfaces; a face is the mean face and so much of each. It needs no
# training, only one pass over the photographs, and one can calculate how much is lost with 10, 20 or 64 numbers a face.
#
# **Command.** `python examples/25_pca.py` — or run the cells one by one.
#
# **Time.** Less than a minute.
#
# **What one should see.** `eigenfaces.png`: the first axes are light and shade, of the backdrop before the face;
# details come late. `eigenfaces-errors.png`: half of the error is gone after a few components, and the last tenth does
# not go away with 64. `faces.png`, drawn from the fitted distribution: symmetric ghosts. Half of one face laid over
# half of another is no face, and a straight space of pictures cannot know that.
#
# **Read beside it.** `keras_faces/models/autoencoders/pca.py`, `keras_faces/figures/eigenfaces.py`.

# %% What to try: {"latent_dim": 200}, your own photographs, photographs that are not aligned
DATA = "drawn"  # or a folder, or a packed file
IMAGE_SIZE = 32
IMAGES = 3000
OPTIONS = {"latent_dim": 64}
SEED = 0
OUT = "runs/lesson-25"

# %% Fit, as `keras-faces train pca` does
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)
model = kf.train("pca", faces, out=OUT, epochs=1, seed=SEED, **OPTIONS)

# %% The mean face, the eigenfaces, and the faces along them
from keras_faces.figures import eigenfaces

kf.plots.save(eigenfaces.figure(model), f"{OUT}/eigenfaces.png")

# %% What is lost with so many components, on faces that the model has not seen
others = kf.data.load(DATA, image_size=IMAGE_SIZE, count=500, seed=SEED + 1).images[:]
table = eigenfaces.curve(model, others)
print(table.iloc[[0, 1, 2, 4, 8, 16, 32, len(table) - 1]].to_string(index=False, float_format="%.3f"))
kf.plots.save(eigenfaces.figure_of_errors(model, others, table), f"{OUT}/eigenfaces-errors.png")

# %% Draws from the fitted normal distribution
kf.plots.save_picture(kf.plots.tile(model.sample(64, seed=SEED)), f"{OUT}/faces.png")
print(f"the pictures are in {OUT}; from one photograph to another: keras-faces morph {OUT} ONE.jpg OTHER.jpg")
