// Which of 128 lamps reach the box around a tile's part of the view: one bit each. Rows of tiles stand
// above each other, once for every 128 lamps.
#include "camera.glsl"
uniform sampler2D lights;   // four texels each, see lighting.py
uniform sampler2D tile_depth;
uniform int tile;           // pixels along an edge
uniform int first_lamp;     // of those with a place
uniform int lamp_count;

layout(location = 0) out uvec4 reaching;

void main() {
    int rows = textureSize(tile_depth, 0).y;
    ivec2 at = ivec2(gl_FragCoord.xy);
    int group = at.y / rows;
    at.y -= group * rows;
    vec2 range = texelFetch(tile_depth, at, 0).rg;
    reaching = uvec4(0u);
    if (range.y < 0.0) return;
    vec2 low = (2.0 * (vec2(at * tile) + offset) / picture - 1.0) * tangents;
    vec2 high = (2.0 * (vec2(min((at + 1) * tile, ivec2(picture))) + offset) / picture - 1.0) * tangents;
    vec3 near = vec3(min(low * range.x, low * range.y), -range.y);
    vec3 far = vec3(max(high * range.x, high * range.y), -range.x);
    int count = min(lamp_count - group * 128, 128);
    for (int n = 0; n < count; ++n) {
        int i = first_lamp + group * 128 + n;
        vec4 place = texelFetch(lights, ivec2((i & 255) * 4, i >> 8), 0);
        vec3 seen = transpose(to_world) * place.xyz;
        vec3 gap = max(max(near - seen, seen - far), vec3(0.0));
        // A little more than the radius: rounding must not lose a lamp, and one too many adds nothing.
        if (dot(gap, gap) <= place.w * place.w * 1.0001 + 1e-6) reaching[n >> 5] |= 1u << uint(n & 31);
    }
}
