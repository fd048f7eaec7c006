"""Uses of a trained system, one file each: inpainting, retrieval, relabelling, augmentation, and those of IP-GAN.

They need a model with an encoder (``encode``, ``decode``, ``reconstruct``, see ``training/encoder.py``), or an IP-GAN.
"""
