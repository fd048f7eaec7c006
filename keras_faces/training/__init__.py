"""What a student reads after a model: the step, its losses and gradients, optimizers, sampling, checkpoints."""
