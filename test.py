"""Grade a submission: python test.py [-p PROJECT] [-d DATA]. See checker/README.md."""

import sys

from checker.cli import main

if __name__ == "__main__":
    sys.exit(main())
