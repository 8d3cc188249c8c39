from kinetoscope_dataset.npz_contract import NpzContract


class TestNpz(NpzContract):
    pass
