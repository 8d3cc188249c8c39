"""Its tests: a host with a plugin that the test makes, and no plugin that happens to be installed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from stride import distance_m

from kinetoscope import Host
from kinetoscope_spec import Asset, FormatError, Motion, Provider, Signature, Skeleton, hookimpl, rotation


class StraightAhead:
    """An importer for which every file is a walk of three metres."""

    def read(self, path: str | Path) -> Asset:
        """Return the walk, whatever the file holds."""
        skeleton = Skeleton(["hips"], [-1], np.zeros((1, 3)))
        positions = np.linspace([0, 1, 0], [0, 1, 3], 31)[:, None]
        motion = Motion(skeleton, positions, rotation.identity(np.zeros((31, 1, 4))), 30.0)
        return Asset("walk", skeleton, [motion])


class Fake:
    """The plugin: an object with a hook."""

    @hookimpl
    def importer(self) -> Sequence[Provider]:
        """Offer the importer for files that begin with `walk`."""
        known = Signature("walk", magic=b"walk")
        return [Provider("fake", "made for a test", load=StraightAhead, reads=["walk"], signatures=[known])]


@pytest.fixture
def host() -> Iterator[Host]:
    """A host of the test's own, closed afterwards."""
    with Host(plugins=[Fake()], autoload=False, config={}) as host:
        yield host


def test_a_walk_of_three_metres(host: Host, tmp_path: Path) -> None:
    """What the application says of a motion that the test knows."""
    clip = tmp_path / "clip"
    clip.write_bytes(b"walk")
    assert distance_m(host, clip) == pytest.approx(3.0)


def test_what_nobody_reads_is_an_error(host: Host, tmp_path: Path) -> None:
    """Only the plugin of the test is there: BVH is not read, whatever is installed."""
    clip = tmp_path / "clip.bvh"
    clip.write_text("HIERARCHY\n")
    with pytest.raises(FormatError, match=r"no importer reads; there are: fake \(walk\)"):
        distance_m(host, clip)
