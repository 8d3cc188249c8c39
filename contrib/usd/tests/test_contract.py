from hypothesis import strategies as st

from kinetoscope_spec import Asset
from kinetoscope_spec.contracts import Sample, strategies
from kinetoscope_usd.contract import UsdContract


class TestText(UsdContract):
    pass


class _Binary(UsdContract):
    """The laws whose answer depends on how the bytes are laid out."""

    samples: tuple[Sample, ...] = ()
    test_reading_is_deterministic = None
    test_the_file_is_left_alone = None
    test_assets_are_in_our_units_and_axes = None
    test_wrong_paths_give_the_right_error = None
    test_the_order_of_joints_does_not_matter = None
    test_names_survive = None

    def assets(self) -> st.SearchStrategy[Asset]:
        sizes = st.integers(1, 6)
        return strategies.assets(strategies.motions(strategies.skeletons(joints=sizes, rest_scales=False)))


class TestCrate(_Binary):
    suffix = ".usdc"


class TestPackage(_Binary):
    suffix = ".usdz"
