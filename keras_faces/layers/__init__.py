"""Layers that Keras lacks, one file each, and the blocks of DCGAN."""
