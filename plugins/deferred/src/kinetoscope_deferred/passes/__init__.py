"""The passes of a frame, one module each, with its GLSL beside it."""
