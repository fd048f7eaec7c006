"""The command line ``keras-faces``: each file parses the options of some commands and calls the package.

Every file has ``register(commands)``, which adds its commands. What is heavy is imported when a command runs, so that
``--help`` answers at once.
"""
