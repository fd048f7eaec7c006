"""The dissertation's toy: GAN, WGAN and FM-GAN on a ring of points."""
