# %% [markdown]
# # 3. From photographs to a packed file
#
# **What it teaches.** What lies between a download and a training: label files become one table, an expression chooses
# rows, photographs become squares of one size, and pictures and labels go into one file from which random batches are
# read quickly. And what labels tell before any network has seen a face.
#
# **Command.** `python examples/03_from_photographs_to_a_packed_file.py` — or run the cells one by one.
#
# **Time.** Less than a minute on two cores.
#
# **What one should see.** In `runs/lesson-03`: `frequencies.png` and `correlations.png` of the labels; `chosen.png`,
# the faces that an expression chose; `means.png`, the average face without and with an attribute: what the label means
# shows, and so does what merely comes along with it. Of one flipped bit in a copy of the file, we hear.
#
# **Read beside it.** `docs/data.md`, which does the same with commands for CelebA, LFW and your own photographs.

# %% What to try: another expression, 32 pixels, CelebA itself
PHOTOGRAPHS = None  # or "celeba/img_align_celeba"; None: faces that are drawn now, so that no download is needed
LABELS = []  # or ["celeba/list_attr_celeba.txt", "celeba/identity_CelebA.txt"]
IMAGES = 1500  # of the drawn ones
SIZE = 64
SELECT = "Smiling and not Eyeglasses"
OUT = "runs/lesson-03"

# %% Photographs, one file a face, and a label file as Kaggle gives CelebA's. Any folder of pictures would do
from pathlib import Path

from PIL import Image

import keras_faces as kf

out = Path(OUT)
out.mkdir(parents=True, exist_ok=True)

if PHOTOGRAPHS is None:
    PHOTOGRAPHS, LABELS = out / "photographs", [out / "list_attr.csv"]
    PHOTOGRAPHS.mkdir(exist_ok=True)
    drawn = kf.data.load("drawn", image_size=128, count=IMAGES)
    names = [f"{number + 1:06d}.jpg" for number in range(len(drawn))]
    for first in range(0, len(drawn), 100):
        for name, face in zip(names[first : first + 100], drawn.images[first : first + 100], strict=True):
            Image.fromarray(face).save(PHOTOGRAPHS / name, quality=92)
    drawn.attributes.set_axis(names).to_csv(LABELS[0], index_label="image_id")

# %% All label files in one table, checked line by line: a fault is named with its file, line and value
from data_prep.celeba import draw, select_rows, summary
from data_prep.engine.celeba_files import attributes_of, read_tables

table, lacking = read_tables(LABELS)
print(summary(table))
print(table.iloc[:3, :6])

# %% How frequent is each attribute, and which come together? Both pictures say what a network will learn by the way
draw(table, out)

# %% An expression chooses rows
chosen = select_rows(table, SELECT)
print(f"{len(chosen):,} of {len(table):,} faces are {SELECT!r}")

# %% Pictures and rows meet, every picture becomes a square of one size, and all goes into one file with checksums
from data_prep.pack import pack, plan

planned = plan(PHOTOGRAPHS, table)
print(f"{len(planned.no_row)} pictures have no row, {len(planned.no_picture)} rows have no picture")
report = pack(planned, PHOTOGRAPHS, out / "faces.h5", SIZE)
print(f"{report.done:,} pictures, {report.images_per_second:,.0f} a second")

# %% The file is a source of faces like any other
import numpy as np

from keras_faces.data.expressions import select

faces = kf.data.load(out / "faces.h5", image_size=None)
print(faces.summary())
mask = select(faces.attributes, SELECT)
kf.plots.save(kf.plots.grid(faces.images[np.flatnonzero(mask)[:32]], columns=8, title=SELECT), out / "chosen.png")

# %% The average face without (left) and with (right) the eight attributes that change it most
pixels = faces.images[:].astype(np.float32)
pairs = []
for name in attributes_of(table).columns:
    has = faces.attributes[name].to_numpy() > 0
    if 20 <= has.sum() <= len(has) - 20:  # the mean of few faces is still a few faces
        pairs.append((name, np.stack([pixels[~has].mean(axis=0), pixels[has].mean(axis=0)])))
pairs.sort(key=lambda pair: -np.abs(pair[1][1] - pair[1][0]).mean())
rows = [(name.replace("_", "\n"), means.astype(np.uint8)) for name, means in pairs[:8]]
kf.plots.save(kf.plots.evolution(rows, title="without   with"), out / "means.png")

# %% Why one file? The same 50 random batches of 64, from the folder and from the packed file
import time

order = np.random.default_rng(0).integers(0, len(faces), (50, 64))
for name, source in (("folder", PHOTOGRAPHS), ("packed file", out / "faces.h5")):
    images = kf.data.load(source, image_size=SIZE, memory_mb=0).images  # nothing kept in memory: each batch is read
    started = time.perf_counter()
    for numbers in order:
        images[numbers]
    print(f"{name}: {(time.perf_counter() - started) / len(order) * 1000:.1f} ms a batch")

# %% One flipped bit in a copy of the file: would anybody notice?
import h5py

from keras_faces.data.packed_verify import verify_packed

damaged = bytearray((out / "faces.h5").read_bytes())
with h5py.File(out / "faces.h5") as file:
    place = file["images"].id.get_chunk_info(7).byte_offset
damaged[place + 1000] ^= 1
(out / "damaged.h5").write_bytes(damaged)
print("\n".join(verify_packed(out / "damaged.h5")))
print(f"the file and the pictures are in {OUT}; go on with: keras-faces train slides-v2 --data {OUT}/faces.h5")
