import pytest

from kinetoscope_codebook.contract import PeriodicContract
from kinetoscope_codebook.model import Autoencoder, CodebookMatching, Fsq, Mlp, Vq
from kinetoscope_spec.contracts import ModelContract


class TestMlp(ModelContract):
    provider = Mlp


@pytest.mark.slow
class TestAutoencoder(ModelContract):
    provider = Autoencoder


@pytest.mark.slow
class TestVariationalAutoencoder(ModelContract):
    provider = Autoencoder(variational=True)


class TestPeriodicAutoencoder(PeriodicContract):
    pass


@pytest.mark.slow
class TestVq(ModelContract):
    provider = Vq


@pytest.mark.slow
class TestFsq(ModelContract):
    provider = Fsq


@pytest.mark.slow
class TestCodebookMatching(ModelContract):
    provider = CodebookMatching
