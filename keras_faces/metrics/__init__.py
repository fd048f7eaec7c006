"""How good is it? Scores that say what they were measured on.

    score = kf.metrics.fid(faces.images, model.sample(1000), features="pixels")
    print(score)                                        # value, interval, counts, features, resize, warnings
    float(score)

Images go in as uint8 RGB (N, H, W, 3): an array, a ``Faces``, or an iterable of batches. ``features`` says what
describes an image by numbers (``features/``): "pixels", "inception", "classifier:RUN", "file:PATH". Where the numbers
are there already, the functions ``..._from_features`` take them.

What to read next: ``score.py`` (what a result holds), ``frechet.py`` (the score that everybody prints),
``intervals.py`` (how sure it is), then ``features/``. Importing this package loads no framework.
"""

import importlib

_HOMES = {
    "Score": "score",
    "mean_interval": "intervals",
    "Moments": "moments",
    "features_of": "sets",
    "fid": "frechet",
    "fid_from_features": "frechet",
    "frechet_distance": "frechet",
    "kid": "kernel",
    "kid_from_features": "kernel",
    "kernel_distance": "kernel",
    "inception_score": "inception",
    "inception_score_from_probabilities": "inception",
    "precision_recall": "coverage",
    "precision_recall_from_features": "coverage",
    "psnr": "pixels",
    "ssim": "pixels",
    "label_consistency": "consistency",
    "consistency_by_label": "consistency",
    "identity_retrieval": "retrieval",
    "identity_retrieval_from_features": "retrieval",
    "gallery_and_probes": "retrieval",
    "identity_verification": "verification",
    "identity_verification_from_features": "verification",
    "pairs_of": "verification",
    "nearest_neighbours": "neighbours",
    "nearest_from_features": "neighbours",
    "memorisation": "neighbours",
    "memorisation_from_features": "neighbours",
    "neighbours_figure": "neighbours",
    "Features": "features.base",
}
_ROOMS = ("features",)  # kf.metrics.features.get(...)

__all__ = [*_HOMES, *_ROOMS]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f"keras_faces.metrics.{_HOMES[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"keras_faces.metrics.{name}")
    raise AttributeError(f"module 'keras_faces.metrics' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return sorted([*globals(), *__all__])
