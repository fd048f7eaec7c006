# %% [markdown]
# # 15. How good is it?
#
# **What it teaches.** What each score sees and what it is blind to. Nine "generators" whose faults are known, as we
# make their faces ourselves out of photographs: blurred, noisy, dark, collapsed to a few faces, learnt by heart. A
# score that cannot tell them apart will not tell your GAN apart from them either.
#
# **Command.** `python examples/15_how_good_is_it.py` — or run the cells one by one.
#
# **Time.** About 3 minutes on two cores, a third of it for a small classifier.
#
# **What one should see.** Two tables, by pixels and by the classifier, which do not agree: pixels hardly notice noise
# and find blurred faces *more* precise than photographs; the classifier minds both. Collapse has the best precision of
# all, and no recall. Copies of the training photographs score like new photographs; only the memorisation rate gives
# them away, and of mirrored copies it finds less than a third. `sets.png`: the nine sets with their scores.
# `curves.png`: the FID rises with blur and noise, and also when there are fewer images, though they are as good as
# before; the KID stays at 0.
#
# **Read beside it.** `docs/how-good-is-it.md`, `keras_faces/metrics/frechet.py`, `keras_faces/metrics/coverage.py`.

# %% What to try: 64 pixels, more images, "inception", your own folder (then LABELS = None: it has no attributes)
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 32
IMAGES = 1000
LABELS = "Male, Smiling, Eyeglasses, Young, Blond_Hair, No_Beard"  # what the classifier tells apart; None: pixels only
EPOCHS = 6
SEED = 0
OUT = "runs/lesson-15"

# %% Four parts: trained on, held out, never seen by anybody, and one for the classifier
import numpy as np

import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=5 * IMAGES, seed=SEED)
part = np.random.default_rng(SEED).permutation(len(faces))[: 5 * IMAGES]
training, held_out, others = (faces.take(part[start * IMAGES :][:IMAGES]) for start in range(3))
for_the_classifier = faces.take(part[3 * IMAGES :])
print(faces.summary())

# %% Nine sets of faces, each with one fault
import cv2

random = np.random.default_rng(SEED)
good, known = others.images[:], training.images[:]


def blurred(images, sigma):
    return np.stack([cv2.GaussianBlur(image, (0, 0), sigma) for image in images])


def noisy(images, strength):
    return np.clip(images + random.normal(0, strength, images.shape) + 0.5, 0, 255).astype("uint8")


brightness = good.mean(axis=(1, 2, 3))
bright = good[np.argsort(brightness)[-len(good) // 2 :]]
bright = np.random.default_rng(SEED).permutation(np.concatenate([bright, bright[:, :, ::-1]]))[:IMAGES]
sets = {
    "other photographs": good,  # a perfect generator could do no better
    "blurred": blurred(good, 1.5),
    "noisy": noisy(good, 25),
    "dark": (good * 0.6 + 0.5).astype("uint8"),
    "only bright ones": bright,
    "collapsed to 10": noisy(good[:10].repeat(IMAGES // 10, axis=0), 4),
    "half good, half blurred": np.concatenate([good[: IMAGES // 2], blurred(good[IMAGES // 2 :], 1.5)]),
    "copies": noisy(known, 2),
    "mirrored copies": known[:, :, ::-1],
}

# %% What describes a face: its pixels, and what a classifier of faces has learnt to look at
features = {"pixels": "pixels"}
if LABELS is not None:
    settings = {"epochs": EPOCHS, "batch_size": 64, "width": 16, "seed": SEED, "out": f"{OUT}/classifier"}
    report = kf.classify(LABELS, for_the_classifier.labelled(LABELS), **settings)
    print(f"the classifier is right in {report['accuracy']:.0%} of the attributes of faces that it has not seen")
    features["classifier"] = f"classifier:{OUT}/classifier"

# %% Every score of every set. Reference computes the photographs' features once
from pathlib import Path

import pandas

from keras_faces.runs.evaluate import Photographs, Reference

Path(OUT).mkdir(parents=True, exist_ok=True)
photographs = Photographs(training, held_out, "")
tables = {}
for kind, spec in features.items():
    reference = Reference(photographs, spec, seed=SEED)
    rows = {name: {score.name: score.value for score in reference.scores(images)} for name, images in sets.items()}
    tables[kind] = pandas.DataFrame(rows).T
    print(f"\n{reference.features.name}; {IMAGES:,} images a side, against {reference.split} photographs")
    print(tables[kind].round(3).to_string())
    tables[kind].to_csv(f"{OUT}/{kind}.csv")

# %% One of them in full: a score says what it was measured on
print("\n" + "\n".join(str(score) for score in reference.scores(sets["blurred"])))

# %% The sets, with the scores beside them
lines = []
for name, images in sets.items():
    row = tables[kind].loc[name]
    told = f"{name}\nFID {row['fid']:.3g}, precision {row['precision']:.2f}\n"
    told += f"recall {row['recall']:.2f}, memorised {row['memorisation']:.0%}"
    lines.append((told, kf.plots.magnify(images[:: max(1, IMAGES // 10)][:10], 64)))
kf.plots.save(kf.plots.evolution(lines, title=f"by {kind}"), f"{OUT}/sets.png")

# %% Curves: more blur, more noise, fewer images
from keras_faces import metrics
from keras_faces.figures.figure import Figure


def fid_and_kid(images, real=None):
    real = reference.real_features if real is None else real
    given = real, reference.describe(images), reference.features
    return metrics.fid_from_features(*given, repeats=0), metrics.kid_from_features(*given, subsets=20)


worse = {
    "blur: σ in pixels": {sigma: fid_and_kid(blurred(good, sigma)) for sigma in (0.3, 0.6, 1, 1.5, 2, 3)},
    "noise: σ in grey levels": {sigma: fid_and_kid(noisy(good, sigma)) for sigma in (1, 5, 10, 20, 30, 40)},
    "good photographs: how many of each side": {
        count: fid_and_kid(good[:count], reference.real_features[:count])
        for count in (IMAGES // 10, IMAGES // 5, IMAGES // 2, IMAGES)
    },
}
figure = Figure(figsize=(11, 5), layout="constrained")
figure.suptitle(reference.features.name)
columns = figure.subplots(2, 3, sharex="col").T
for axes in columns[1:, 1]:
    axes.sharey(columns[0, 1])  # one scale for all KIDs, so that next to nothing looks like it
for column, (title, found) in zip(columns, worse.items(), strict=True):
    for axes, index, name in zip(column, (0, 1), ("FID", "KID"), strict=True):
        axes.plot(list(found), [pair[index].value for pair in found.values()], marker="o")
        axes.set(ylabel=name)
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
        axes.grid(alpha=0.3)
    column[1].set_xlabel(title)
kf.plots.save(figure, f"{OUT}/curves.png")
counts = worse["good photographs: how many of each side"]
print("\nThe same good photographs, fewer of them:")
for count, (fid, kid) in counts.items():
    print(f"  {count:5} of each side: FID {fid.value:.4g}, KID {kid.value:.2g} ± {kid.spread:.2g}")
print(f"the pictures are in {OUT}; score a run of your own: keras-faces evaluate RUN")
