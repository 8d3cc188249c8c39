// The least and greatest distance of what is seen in each tile, metres along the camera's axis.
#include "camera.glsl"
uniform sampler2D depth;
uniform int tile;           // pixels along an edge

layout(location = 0) out vec2 range;

void main() {
    ivec2 first = ivec2(gl_FragCoord.xy) * tile, last = min(first + tile, textureSize(depth, 0)) - 1;
    float low = 1.0, high = 0.0;
    for (int y = first.y; y <= last.y; ++y)
        for (int x = first.x; x <= last.x; ++x) {
            float z = texelFetch(depth, ivec2(x, y), 0).r;
            low = min(low, z);
            high = max(high, z < 1.0 ? z : 0.0);
        }
    range = vec2(metres(low), high > 0.0 ? metres(high) : -1.0);
}
