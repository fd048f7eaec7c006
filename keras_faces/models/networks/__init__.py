"""Networks that several systems use: the classifier, VGG, the text encoder."""
