"""The training core: the step, two optimizers in one, sampling, callbacks and the run folder."""
