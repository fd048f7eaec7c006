"""The run folder: training into it, watching it, scoring it, comparing several."""
