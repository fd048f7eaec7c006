"""Scripts on photographs, before any network sees them: fetch, celeba, align, resize, pack, check.

Each runs as ``python -m data_prep.NAME`` (``--help`` tells the rest) and can be imported as well. None loads a
deep-learning framework, but for ``resize --device accelerator``, on request.
"""
