"""The commands of ``keras-faces``, a file each for those that go together; ``keras_faces/cli.py`` gathers them.

Every file has ``add(commands)``, which adds its commands and their options to the parser, and the functions that do
the work. What is heavy is imported by the functions, so that ``--help`` answers at once.
"""
