"""What one can do with a trained system beside making faces: one file each.

``inpaint.py`` fills holes, ``retrieve.py`` finds faces of the same pose and expression, ``augment.py`` makes training
data. They ask of a model what ``training/encoding.py`` promises: ``encode``, ``decode``, ``reconstruct``.
"""
