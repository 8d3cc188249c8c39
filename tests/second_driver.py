"""Every law of the OpenGL renderer on a second driver: `python tests/second_driver.py [--examples N]`.

Mesa's softpipe is in the packages that llvmpipe is in and shares no code generator with it: it
interprets shaders, knows OpenGL 3.3 and not more, and leaves out what others forgive. It takes minutes,
so `make nightly` runs it and the suite does not.
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ["GALLIUM_DRIVER"] = "softpipe"  # before a driver is loaded

from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_spec.contracts import DeferredContract, check

QUALITIES = {"draft": (48, 32), "high": (47, 31)}
"""Sizes as in the plugin's own tests."""


def main() -> int:
    """Run the laws and return 1 if one is broken, or if another driver was there instead."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10, metavar="N", help="of a plain law")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--laws", nargs="*", help="all if not given")
    given = parser.parse_args()
    with DeferredRenderer().open((4, 4), "draft") as session:
        driver = session.driver
    print(driver, flush=True)
    if "softpipe" not in driver:
        print("expected softpipe; is a driver of Mesa installed?", file=sys.stderr)
        return 1
    broken = 0
    for quality, size in QUALITIES.items():
        contract = DeferredContract.of(
            DeferredRenderer(), name=f"{quality} on softpipe", quality=quality, size=size
        )
        report = check(
            contract, examples=given.examples, seed=given.seed, laws=given.laws or None, shrink=False
        )
        for result in report.results:
            print(f"{result.outcome:8} {quality:6} {result.law} ({result.examples} examples)", flush=True)
        for result in report.broken:
            print(result.message, file=sys.stderr)
        broken += len(report.broken)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
