"""The grades `noir` and `warm`, for the hook `grader` of acme-grade."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["grader"]


@hookimpl
def grader() -> Sequence[Provider]:
    """Offer `noir`, and a `warm` for those whose configuration prefers it."""
    return [
        Provider("noir", "black and white, hard light", load="acme_noir.prints:Noir"),
        Provider("warm", "a sepia print", load="acme_noir.prints:Sepia"),
    ]
