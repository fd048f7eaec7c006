"""``python -m keras_faces``: the command line where the ``keras-faces`` script is not on the path."""

import sys

from keras_faces.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
