"""Faces pixel by pixel: PixelCNN and PixelRNN."""
