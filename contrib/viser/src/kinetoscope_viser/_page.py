"""The script that the page runs beside viser's own: it dresses figures, and mends what stops the page."""

from __future__ import annotations

import html
from importlib.resources import files

import viser

__all__ = ["run_script"]


def run_script(server: viser.ViserServer) -> None:
    """Let every page of a server run `page.js`.

    viser has no word for that: an element of HTML among the controls holds an image that can't be loaded,
    and what it does then.
    """
    script = (files("kinetoscope_viser") / "page.js").read_text(encoding="utf-8")
    server.gui.add_html(f'<img hidden alt="" src="data:," onerror="{html.escape(script, quote=True)}">')
