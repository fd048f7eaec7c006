"""Building blocks that Keras has not, and the arithmetic of sizes. Each file stands for itself."""
