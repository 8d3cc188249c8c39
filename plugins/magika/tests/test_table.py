"""The table of signatures: the first that fits, whichever are looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_magika._source import Ends
from kinetoscope_magika._table import Table
from kinetoscope_spec import Signature

bytes_of_few = st.lists(st.sampled_from([b"a", b"b", b" "]), max_size=4).map(b"".join)
kinds = st.builds(dict, magic=bytes_of_few.filter(bool), offset=st.integers(0, 2), is_text=st.booleans())


@given(st.lists(kinds, max_size=12), st.lists(bytes_of_few, min_size=1, max_size=5))
def test_the_first_that_fits_in_the_order_given(wanted, heads):
    signatures = [Signature(f"kind{i}", **kind) for i, kind in enumerate(wanted)]
    table = Table(signatures)
    for head in heads:
        text = head.lstrip()
        ends = Ends(head, head, len(head), text, len(head) - len(text))
        fits = [s for s in signatures if s.magic == (text if s.is_text else head)[s.offset :][: len(s.magic)]]
        match = table.match(ends)
        assert (match and match.signature) == (fits[0] if fits else None)
