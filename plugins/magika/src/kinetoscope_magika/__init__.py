"""What a file is, told from its bytes: signatures, text rules, then Magika's network."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["detector"]


# The class stands in `detect`, not in a module named like the hook: importing that submodule would
# put it in this function's place.
@hookimpl
def detector() -> Sequence[Provider]:
    """Offer `magika` and, to check it, `magika-onnx`."""
    return [
        Provider(
            "magika",
            "signatures and rules of all importers, then Magika's network in NumPy",
            load="kinetoscope_magika.detect:MagikaDetector",
            needs=("signatures",),
            requires=("module:magika",),
            contract="kinetoscope_magika.contract:MagikaContract",
            order=1,
        ),
        Provider(
            "magika-onnx",
            "the same on ONNX Runtime: the reference",
            load="kinetoscope_magika.detect:OnnxDetector",
            needs=("signatures",),
            requires=("module:magika", "module:onnxruntime"),
            contract="kinetoscope_magika.contract:MagikaOnnxContract",
        ),
    ]
