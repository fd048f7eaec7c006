# %% [markdown]
# # 17. A discriminator that names what it sees
#
# **What it teaches.** D does not read the label: it has to name it, and G is paid when D can. The two quarrel about
# "real or fake?" and work together on "which one?".
#
# **Command.** `python examples/17_acgan.py` — or run the cells one by one.
#
# **Time.** About 1,900 iterations: 3 minutes on two cores.
#
# **What one should see.** The printed table and `losses.png`: D names the photographs' labels better and better, and
# soon the fakes' as well. `classes.png`: a label a row. Then the question of the last cell, to a judge that G has never
# met: D's own answer flatters G, for G was trained to please D. An independent classifier says how much is left.
#
# **Read beside it.** `keras_faces/models/conditional/acgan.py`; for the comparison, lesson 16.

# %% What to try: "class_weight": 0.1 or 5; one class of several, "man = Male & !Young; ..."
DATA = "drawn"  # or a packed file with its table of attributes
LABELS = "Smiling, Male, Eyeglasses"
IMAGE_SIZE = 32
IMAGES = 3000
EPOCHS = 20
BATCH_SIZE = 32
OPTIONS = {}
SEED = 0
OUT = "runs/lesson-17"
JUDGE = (
    None  # a classifier's run: keras-faces classify --data drawn --image-size 32 --labels "Smiling, Male, Eyeglasses"
)

# %% Train into a run folder, as `keras-faces train acgan --labels ...` does
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED).labelled(LABELS)
settings = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": SEED, "labels": LABELS}
model = kf.train("acgan", faces, out=OUT, **settings, **OPTIONS)

# %% How often D names the labels: of photographs, and of the fakes that were asked for them
import pandas

log = pandas.read_csv(f"{OUT}/log.csv")
print(
    log[["step", "real_class_accuracy", "fake_class_accuracy", "d_class_loss", "g_class_loss"]][::8].to_string(
        index=False
    )
)

# %% A label a row, the same noise down each column
from keras_faces.figures import label_grids

rows = label_grids.labels_to_show(model)
images = label_grids.same_noise(model, rows, faces=8, seed=SEED)
kf.plots.save(label_grids.figure_of_labels(model, rows, images), f"{OUT}/classes.png")

# %% The same question to a judge that G has never met
import keras

from keras_faces.data.labels import Labels

wanted = faces.labels.vectors[:500]
fakes = model.sample(len(wanted), seed=SEED, labels=wanted)
named = model.discriminator.predict(model.preprocess(fakes), verbose=0)[1]
print(f"D finds {float(model.class_accuracy(keras.ops.convert_to_tensor(wanted), named)):.1%} of what was asked for")
if JUDGE:
    asked = Labels(faces.labels.kind, faces.labels.names, wanted)
    print(kf.metrics.label_consistency(fakes, asked, f"classifier:{JUDGE}"))
print(f"the pictures are in {OUT}; go on with: keras-faces train acgan --resume --epochs 40 --out {OUT}")
