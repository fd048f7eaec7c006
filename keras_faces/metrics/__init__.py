"""Scores of generated faces; each is a ``Score`` that carries what it was measured on.

    score = kf.metrics.fid(faces.images, model.sample(1000), features="pixels")
    print(score)                                        # value, interval, counts, features, resize, warnings
    float(score)

Images are uint8 RGB (N, H, W, 3): an array, a ``Faces``, or an iterable of batches. ``features`` is "pixels",
"inception", "classifier:RUN", "file:PATH" or a ``Features`` object (``features/``). The functions ``..._from_features``
take features that are computed already. Importing this package loads no framework.
"""

import importlib

_MODULES = {
    "score": ("Score",),
    "intervals": ("mean_interval",),
    "moments": ("Moments",),
    "sets": ("features_of",),
    "frechet": ("fid", "fid_from_features", "frechet_distance"),
    "kernel": ("kid", "kid_from_features", "kernel_distance"),
    "inception": ("inception_score", "inception_score_from_probabilities"),
    "coverage": ("precision_recall", "precision_recall_from_features"),
    "pixels": ("psnr", "ssim"),
    "consistency": ("label_consistency", "consistency_by_label"),
    "retrieval": ("identity_retrieval", "identity_retrieval_from_features", "gallery_and_probes"),
    "verification": ("identity_verification", "identity_verification_from_features", "pairs_of"),
    "neighbours": ("nearest_from_features", "memorisation", "memorisation_from_features"),
    "features.base": ("Features",),
}
_EXPORTS = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [*_EXPORTS, "features"]


def __getattr__(name: str):
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"keras_faces.metrics.{_EXPORTS[name]}"), name)
    if name == "features":  # kf.metrics.features.get(...)
        return importlib.import_module("keras_faces.metrics.features")
    raise AttributeError(f"module 'keras_faces.metrics' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return sorted([*globals(), *__all__])
