"""For every test of the repository: what Numba compiles is kept in one folder.

Most tests have a home of their own, in which the raster renderer would keep its kernels. Compiling
them takes half a minute, which every such process would pay again. Processes that tests start
inherit the variable, and so do the workers of pytest-xdist.
"""

import os
from pathlib import Path

os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parent / ".numba_cache"))
