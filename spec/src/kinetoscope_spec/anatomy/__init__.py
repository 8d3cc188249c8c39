"""Which joint is which: a person's joints by the names that tools give them.

Known conventions: Mixamo, Unity Humanoid, VRM, LaFAN1 and Geno, Bandai Namco, CMU (BVH and ASF),
Unreal's mannequin, Blender Rigify, SMPL and AMASS, HumanML3D, Xsens, 3ds Max Biped, BioVision,
Character Creator, MikuMikuDance. Markers, colliders, twist joints and tips carry no role.
"""

from kinetoscope_spec.anatomy._names import JointName, read_name
from kinetoscope_spec.anatomy._person import SIDES, Person, person
from kinetoscope_spec.anatomy._roles import ROLES, roles, sided_pairs
from kinetoscope_spec.anatomy._tree import Tree

__all__ = ["ROLES", "SIDES", "JointName", "Person", "Tree", "person", "read_name", "roles", "sided_pairs"]
