// Images that mirror beyond their edges: OpenGL's own word for it is not to be had here.
uniform bvec2 mirrored;

vec2 wrapped(vec2 uv) {
    vec2 folded = 1.0 - abs(mod(uv, 2.0) - 1.0);
    return vec2(mirrored.x ? folded.x : uv.x, mirrored.y ? folded.y : uv.y);
}
