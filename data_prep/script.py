"""What the scripts of this folder share: how they end.

0  done
1  could not be done; the message says why and names the way out
2  wrong usage (argparse)
3  done, but something needs a look: broken pictures, damage found
130  Ctrl-C
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

DONE, FAILED, LOOK, INTERRUPTED = 0, 1, 3, 130


def run(main: Callable[[], int]) -> NoReturn:
    """Run a script's ``main`` and leave with its exit code; errors that a user can mend come without a traceback."""
    try:
        code = main()
    except KeyboardInterrupt:
        print("\nStopped by Ctrl-C. What was finished is kept; run the same command again to go on.", file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:  # `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except (ValueError, OSError, ImportError) as error:
        if os.environ.get("KERAS_FACES_DEBUG"):
            raise
        print(f"\n{error}", file=sys.stderr)
        code = FAILED
    sys.exit(code)
