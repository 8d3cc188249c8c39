"""A small file of the format: an arm with a skin, a blend shape and a material, written by hand."""

from __future__ import annotations

__all__ = ["ARM"]

ARM = b"""#usda 1.0
(
    metersPerUnit = 0.01
    upAxis = "Z"
)
def SkelRoot "Arm"
{
    def Skeleton "S" (prepend apiSchemas = ["SkelBindingAPI"])
    {
        uniform token[] joints = ["a", "a/b", "a/b/c"]
        uniform matrix4d[] bindTransforms = [((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,140,1)),
 ((1,0,0,0),(0,1,0,0),(0,0,1,0),(30,0,140,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(50,0,140,1))]
        uniform matrix4d[] restTransforms = [((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,140,1)),
 ((1,0,0,0),(0,1,0,0),(0,0,1,0),(30,0,0,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(20,0,0,1))]
        rel skel:animationSource = </Arm/S/A>
        def SkelAnimation "A"
        {
            uniform token[] joints = ["a", "a/b"]
            float3[] translations = [(0,0,140), (30,0,0)]
            quatf[] rotations.timeSamples = { 0: [(0.5,0,-0.5,0), (2,0,0,0)], 1: [(1,0,0,0), (1,0,0,0)] }
            half3[] scales = [(1,1,1), (1,1,1)]
            uniform token[] blendShapes = ["fat"]
            float[] blendShapeWeights = [0.5]
        }
    }
    def Mesh "M" (prepend apiSchemas = ["SkelBindingAPI"])
    {
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
        point3f[] points = [(0,0,140), (50,0,140), (30,10,140)]
        rel skel:skeleton = </Arm/S>
        int[] primvars:skel:jointIndices = [0, 2, 1] (interpolation = "vertex")
        float[] primvars:skel:jointWeights = [1, 1, 1] (interpolation = "vertex")
        uniform token[] skel:blendShapes = ["fat"]
        rel skel:blendShapeTargets = </Arm/M/F>
        def BlendShape "F"
        {
            uniform vector3f[] offsets = [(0,0,1)]
            uniform int[] pointIndices = [2]
        }
    }
}
"""
"""An arm in centimetres, Z up: raised by a quarter turn about Y in its first frame."""
