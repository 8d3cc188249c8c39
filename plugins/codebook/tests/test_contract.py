import pytest

from kinetoscope_codebook.model import CodebookMatching, Mlp
from kinetoscope_spec.contracts import ModelContract


class TestMlp(ModelContract):
    provider = Mlp


@pytest.mark.slow
class TestCodebookMatching(ModelContract):
    provider = CodebookMatching
