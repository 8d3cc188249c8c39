"""Makes `fbx_scenes`, which several tests build files with, importable: test modules stand alone otherwise."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
