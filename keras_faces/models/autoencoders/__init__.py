"""PCA and the autoencoders: an image becomes a code, a code becomes a face."""
