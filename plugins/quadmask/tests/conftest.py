"""The tests share their segmenter and reasoner: `quadmask_discs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
