"""Rows printed one by one: for people, as JSON, as JSON lines, as CSV."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from kinetoscope.cli._common import printable

__all__ = ["printer"]

Row = dict[str, Any]
Show = Callable[[Row], None]


@contextmanager
def printer(form: str, fields: Sequence[str], stream: TextIO | None = None) -> Iterator[Show]:
    """Yield a function that prints a row as `text`, `json` (one object, `files`), `jsonl` or `csv`.

    Nothing is kept. Names that can't be printed (line breaks, bytes that are no UTF-8, letters that the
    stream's encoding lacks) are escaped.
    """
    out = sys.stdout if stream is None else stream
    if form == "json":
        yield from _json(out)
    elif form == "jsonl":
        yield lambda row: print(json.dumps(row), file=out)
    elif form == "csv":
        yield _csv(out, fields)
    else:
        yield lambda row: print(_encodable(_text(row), out), file=out)


def _json(out: TextIO) -> Iterator[Show]:
    before = '{"files": ['

    def show(row: Row) -> None:
        nonlocal before
        out.write(before + json.dumps(row))
        before = ", "

    try:
        yield show
    finally:
        # Closed whatever happens: who reads it gets an object, and the status says that it is not whole.
        print(("" if before == ", " else before) + "]}", file=out)


def _csv(out: TextIO, fields: Sequence[str]) -> Show:
    import csv

    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(fields)

    def show(row: Row) -> None:
        cells = ("; ".join(cell) if isinstance(cell, list) else cell for cell in map(row.get, fields))
        writer.writerow([_encodable(cell, out) if isinstance(cell, str) else cell for cell in cells])

    return show


def _encodable(text: str, out: TextIO) -> str:
    """Escape what `out` has no bytes for: letters of other alphabets, parts of a name that are not UTF-8."""
    encoding = out.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _text(row: Row) -> str:
    path = printable(row["path"])
    if row["error"]:
        return f"{path}: {row['error']}"
    remarks = [row.get("mismatch"), *row["alarms"]]
    line = f"{path}: {row['label']} ({row['group']}, {row['mime']}) {row['score']:.2f} by {row['decided_by']}"
    return "; ".join([line, *filter(None, remarks)])
