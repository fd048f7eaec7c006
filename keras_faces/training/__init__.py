"""The training core: the step, two optimizers in one, sampling, checkpoints and callbacks."""
