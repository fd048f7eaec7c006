"""GANs that read a label, a code or a sentence."""
