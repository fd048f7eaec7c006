"""The GANs of the course without labels: the slides, the first GANs, the losses, and the rungs up to StyleGAN."""
