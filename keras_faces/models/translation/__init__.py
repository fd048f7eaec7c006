"""From one image to another: pix2pix and CycleGAN."""
