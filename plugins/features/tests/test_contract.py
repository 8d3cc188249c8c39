from kinetoscope_features.basic import (
    FootContacts,
    JointPositions,
    JointRotations,
    JointVelocities,
    RootTrajectory,
)
from kinetoscope_features.contract import LocomotionContract
from kinetoscope_spec.contracts import FeatureContract


class TestRootTrajectory(FeatureContract):
    provider = RootTrajectory


class TestJointPositions(FeatureContract):
    provider = JointPositions


class TestJointRotations(FeatureContract):
    provider = JointRotations


class TestJointVelocities(FeatureContract):
    provider = JointVelocities


class TestFootContacts(FeatureContract):
    provider = FootContacts


class TestLocomotion(LocomotionContract):
    pass
