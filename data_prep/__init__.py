"""Seven commands for photographs, before any network sees them: fetch, check, align, celeba, lfw, resize, pack.

Each runs as ``python -m data_prep.NAME`` (see ``--help``) and can be imported as well; what they share is in
``engine/``. None loads a deep-learning framework, but ``align``, whose face detector runs on TensorFlow.
"""
