// Whether a tile, or the row of texels around it, has contrast enough for an edge anywhere: 0 or 1.
#include "luma.glsl"
uniform int tile;           // texels along an edge

layout(location = 0) out float edge;

void main() {
    last = textureSize(picture, 0) - 1;
    ivec2 first = ivec2(gl_FragCoord.xy) * tile - 1, end = min(first + tile + 1, last);
    float low = 1.0, high = 0.0;
    for (int y = max(first.y, 0); y <= end.y; ++y)
        for (int x = max(first.x, 0); x <= end.x; ++x) {
            float m = luma(ivec2(x, y));
            low = min(low, m);
            high = max(high, m);
        }
    // No pixel's own contrast is more than its tile's, and none's threshold less than the darkest texel's.
    edge = high - low < threshold(low) ? 0.0 : 1.0;
}
