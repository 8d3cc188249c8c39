"""What proves `magika` and `magika-onnx`: the contract of their hook, and files they must tell."""

from __future__ import annotations

from types import MappingProxyType

from kinetoscope_magika._source import WINDOW
from kinetoscope_magika.detect import MagikaDetector, OnnxDetector
from kinetoscope_spec.contracts import DetectorContract

__all__ = ["MagikaContract", "MagikaOnnxContract"]

_GLB = b"glTF\2\0\0\0\x1c\0\0\0\x08\0\0\0JSON" + b'{"a":1} '
_PYTHON = b"""import sys


def main() -> int:
    for word in sys.argv[1:]:
        print(word)
    return 0


if __name__ == "__main__":
    sys.exit(main())
"""


class MagikaContract(DetectorContract):
    """Signatures, text rules and the network each have a file that they decide."""

    provider: type[MagikaDetector] = MagikaDetector
    name = "magika"
    window = WINDOW
    known = MappingProxyType(
        {
            "glb": [_GLB],
            "obj": [b"# a triangle\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"],
            "python": [_PYTHON],
            "empty": [b""],
            "txt": [b"a word"],
        }
    )


class MagikaOnnxContract(MagikaContract):
    """The same files on the reference network."""

    provider = OnnxDetector
    name = "magika-onnx"
