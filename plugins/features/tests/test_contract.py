from kinetoscope_features.ahead import TerrainHeight, TrajectoryWindow
from kinetoscope_features.basic import (
    JointAngularVelocities,
    JointPositions,
    JointRotations,
    JointVelocities,
    RootTrajectory,
)
from kinetoscope_features.contract import LocomotionContract, SteppingContract
from kinetoscope_features.labels import Labels
from kinetoscope_features.periodic import PeriodicPhase
from kinetoscope_features.posture import GuidancePose, TrackingTargets
from kinetoscope_features.standing import FootContacts, FootPhase
from kinetoscope_spec.contracts import FeatureContract


class TestRootTrajectory(FeatureContract):
    provider = RootTrajectory


class TestJointPositions(FeatureContract):
    provider = JointPositions


class TestJointRotations(FeatureContract):
    provider = JointRotations


class TestJointVelocities(FeatureContract):
    provider = JointVelocities


class TestJointAngularVelocities(FeatureContract):
    provider = JointAngularVelocities


class TestFootContacts(SteppingContract):
    provider = FootContacts


class TestFootPhase(SteppingContract):
    provider = FootPhase


class TestPeriodicPhase(FeatureContract):
    provider = PeriodicPhase


class TestTrajectoryWindow(FeatureContract):
    provider = TrajectoryWindow


class TestTerrainHeight(FeatureContract):
    provider = TerrainHeight


class TestGuidancePose(FeatureContract):
    provider = GuidancePose


class TestTrackingTargets(FeatureContract):
    provider = TrackingTargets


class TestLabels(FeatureContract):
    provider = Labels


class TestLocomotion(LocomotionContract):
    pass
