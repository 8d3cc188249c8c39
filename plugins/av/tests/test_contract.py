"""The provider keeps the contract of the hook that this plugin brings."""

from kinetoscope_av.own_contract import AvContract


class TestAv(AvContract):
    pass
