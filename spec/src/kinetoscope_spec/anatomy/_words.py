"""The words by which tools name a person's joints, and what each of them can mean.

Conventions: Mixamo, Unity Humanoid, LaFAN1 and Geno, Bandai Namco, CMU (BVH and ASF), Unreal's
mannequin, Blender Rigify, VRM, SMPL and AMASS, HumanML3D, Xsens, 3ds Max Biped, BioVision, Character
Creator, MikuMikuDance. Words are lower case, letters only, with side and number taken away.
"""

from __future__ import annotations

__all__ = [
    "AUXILIARY",
    "CENTRE",
    "ENDS",
    "FINGERS",
    "LIMBS",
    "METACARPAL",
    "PREFIXES",
    "TRUNK",
    "TWIST",
    "WORDS",
]

# Of each role the words that name it, the surest first. Joints stand where a bone begins: a hand's
# joint is the wrist, a foot's the ankle.
LIMBS: dict[str, dict[str, tuple[str, ...]]] = {
    "arm": {
        "shoulder": ("clavicle", "collar", "collarbone", "clav", "scapula", "shoulder", "肩"),
        "upper_arm": ("upperarm", "uparm", "humerus", "bicep", "shldr", "腕", "arm", "shoulder"),
        "lower_arm": ("lowerarm", "forearm", "fore", "loarm", "radius", "elbow", "ひじ", "肘"),
        "hand": ("wrist", "hand", "手首"),
    },
    "leg": {
        "upper_leg": ("upperleg", "upleg", "thigh", "femur", "hip", "足", "leg"),
        "lower_leg": ("lowerleg", "loleg", "lowleg", "shin", "calf", "tibia", "knee", "ひざ", "膝", "leg"),
        "foot": ("ankle", "foot", "足首"),
        "toes": ("toes", "toe", "toebase", "ball", "toesbase", "つま先", "足先ex", "foot"),
    },
}

CENTRE: dict[str, tuple[str, ...]] = {
    "hips": ("hips", "pelvis", "hip", "腰", "下半身"),
    "head": ("head", "頭"),
    "neck": ("neck", "lowerneck", "upperneck", "首"),
    "jaw": ("jaw", "chin", "顎"),
}

TRUNK = frozenset(
    ("spine", "chest", "upperchest", "back", "lowerback", "upperback", "thorax", "abdomen", "torso", "waist")
) | {"上半身", "胸", "necktwist"}
"""Words of joints between the hips and the head; which is which, their order tells."""

FINGERS: dict[str, tuple[str, ...]] = {
    "thumb": ("thumb", "親指"),
    "index": ("index", "pointer", "point", "人指", "人差指"),
    "middle": ("middle", "mid", "中指"),
    "ring": ("ring", "薬指"),
    "pinky": ("pinky", "little", "小指"),
}

METACARPAL = ("metacarpal", "meta", "carpal", "palm")
"""Bones of the palm, which many hands don't have."""

TWIST = ("twist", "roll", "捩")
ENDS = ("end", "nub", "tip", "top", "null", "site", "effector")
AUXILIARY = (
    *("ik", "fk", "pole", "target", "ctrl", "control", "helper", "socket", "attach", "col", "collider"),
    *("marker", "floor", "virtual", "weapon", "prop", "mch", "breast", "glut", "delt", "rect"),
)
"""Words of nodes that stand beside the body: they carry no role."""

PREFIXES = (
    *("mixamorig", "bip", "valvebiped", "ccbase", "cc", "base", "joint", "jt", "jnt", "bone", "character"),
    *("def", "org", "c", "j", "b", "bn", "p", "skel", "rig", "avg", "m", "f", "sk", "node", "actor"),
)
"""Words that a tool puts before every name."""

WORDS = frozenset(
    word for table in (*LIMBS.values(), CENTRE, FINGERS) for words in table.values() for word in words
) | {"fingers", "finger", "eye", "ear", "hipjoint", "heel", "leg", "arm", "toe0", "thumbs"}
"""Everything after which, or before which, a bare `l` or `r` or `left` is a side."""
