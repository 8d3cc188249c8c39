"""The grade `warm`. The hook that it fills, and that others may fill, is in `acme_grade.hooks`."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["grader"]


@hookimpl
def grader() -> Sequence[Provider]:
    """Offer `warm`."""
    return [Provider("warm", "a late afternoon", load="acme_grade.warm:Warm")]
