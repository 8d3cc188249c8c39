"""`python -m kinetoscope`."""

import sys

from kinetoscope.cli import main

sys.exit(main(prog_name="kinetoscope"))
