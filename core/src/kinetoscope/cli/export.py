"""`kinetoscope export`: a checkpoint in, an ONNX file out, checked where ONNX Runtime is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host

if TYPE_CHECKING:
    from kinetoscope import Host

ROWS = 256
"""How many rows both are asked for when they are compared."""


@click.command("export")
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@pass_host
def command(host: Host, checkpoint: Path, out: Path) -> None:
    """Write the model of CHECKPOINT to OUT as ONNX.

    Where ONNX Runtime is installed, what the file predicts is compared with what the model does.
    """
    from kinetoscope.shot.learn import load_checkpoint

    fitted = load_checkpoint(host, checkpoint).fitted
    fitted.export_onnx(out)
    metrics = compared(fitted, out) if importlib.util.find_spec("onnxruntime") else {}
    data = {"checkpoint": str(checkpoint), "output": str(out), "metrics": metrics}
    checked = (
        f", the same as the model's to {metrics['largest_difference']:.1e}" if metrics else ", not checked"
    )
    emit(click.get_current_context(), data, f"wrote {out} ({out.stat().st_size:,} bytes){checked}")


def compared(fitted: Any, path: Path) -> dict[str, float]:
    """Return by how many standard deviations the file's predictions differ from the model's, at most."""
    import numpy as np
    import onnxruntime

    schema, target = fitted.input_schema, fitted.output_schema
    mean, deviation = (np.zeros(len(schema)) if v is None else v for v in (schema.mean, schema.deviation))
    scale = np.ones(len(target)) if target.deviation is None else target.deviation
    rows = (mean + deviation * np.random.default_rng(0).normal(size=(ROWS, len(schema)))).astype(np.float32)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: rows})[0]
    return {
        "rows": float(ROWS),
        "largest_difference": float(np.abs((found - fitted.predict(rows)) / scale).max()),
    }
