"""Clips, trees, skeletons, paths and characters that components name by number."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import Asset, Character, Motion, Path, Skeleton, ValidationError
from kinetoscope_stage.clips import Clip, Source
from kinetoscope_stage.trees import Node, Tree

__all__ = ["Library"]


class Library:
    """What components name by number: a resource of the world, filled before the stage runs.

    Attributes:
        clips: clips and trees, in one row of numbers: an `Animator` plays either.
        skeletons, paths: what `Rig` and `Follower` name.
        assets: what `Skin` names: meshes, skins and materials.
    """

    def __init__(self) -> None:
        self.clips: list[Source] = []
        self.skeletons: list[Skeleton] = []
        self.paths: list[Path] = []
        self.assets: list[Asset] = []
        self._worn: dict[int, Character] = {}

    def skeleton(self, skeleton: Skeleton) -> int:
        """Return the number of a skeleton, taken in if it is new."""
        for number, held in enumerate(self.skeletons):
            if held is skeleton or held == skeleton:
                return number
        self.skeletons.append(skeleton)
        return len(self.skeletons) - 1

    def clip(self, motion: Motion) -> int:
        """Take in a clip and return its number.

        Raises:
            ValidationError: it scales joints, which poses on the stage can't.
        """
        if motion.scales is not None and not np.all(motion.scales == 1):
            raise ValidationError(f"motion {motion.name!r} scales joints; poses on the stage have no scales")
        self.skeleton(motion.skeleton)
        self.clips.append(Clip.of(motion))
        return len(self.clips) - 1

    def tree(self, node: Node) -> int:
        """Take in a tree whose leaves are numbers of clips, and return its number.

        Raises:
            ValidationError: a leaf that is no clip, or clips of different numbers of joints.
        """
        self.clips.append(Tree.of(node, self.clips))
        return len(self.clips) - 1

    def path(self, path: Path) -> int:
        """Take in a path on the ground and return its number."""
        self.paths.append(path)
        return len(self.paths) - 1

    def asset(self, asset: Asset) -> int:
        """Take in the meshes, skins and materials of a character and return their number."""
        for number, held in enumerate(self.assets):
            if held is asset:
                return number
        self.skeleton(asset.skeleton)
        self.assets.append(asset)
        return len(self.assets) - 1

    def worn(self, number: int) -> Character:
        """Return an asset's character, always the same object, which renderers keep on their device."""
        return self._worn.setdefault(number, self.assets[number].character())
