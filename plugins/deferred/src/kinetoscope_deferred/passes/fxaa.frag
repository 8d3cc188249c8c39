// Fast approximate anti-aliasing after Lottes (2009), on whole texels: find an edge by its
// contrast, follow it to both ends, and mix in the neighbour across it by how far along we are.
#include "luma.glsl"

layout(location = 0) out vec4 color;

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    last = textureSize(picture, 0) - 1;
    color = texel(at);
    float m = luma(at), n = luma(at + ivec2(0, 1)), s = luma(at - ivec2(0, 1));
    float e = luma(at + ivec2(1, 0)), w = luma(at - ivec2(1, 0));
    float high = max(m, max(max(n, s), max(e, w))), low = min(m, min(min(n, s), min(e, w)));
    float range = high - low;
    if (range < threshold(high)) return;

    float ne = luma(at + ivec2(1, 1)), nw = luma(at + ivec2(-1, 1));
    float se = luma(at + ivec2(1, -1)), sw = luma(at + ivec2(-1, -1));
    float level = abs(nw + sw - 2.0 * w) + 2.0 * abs(n + s - 2.0 * m) + abs(ne + se - 2.0 * e);
    float upright = abs(nw + ne - 2.0 * n) + 2.0 * abs(w + e - 2.0 * m) + abs(sw + se - 2.0 * s);
    bool horizontal = level >= upright;
    ivec2 across = horizontal ? ivec2(0, 1) : ivec2(1, 0), along = horizontal ? ivec2(1, 0) : ivec2(0, 1);
    float ahead = horizontal ? n : e, behind = horizontal ? s : w;
    if (abs(behind - m) > abs(ahead - m)) { across = -across; ahead = behind; }

    // The edge runs between this row and the one across it; it ends where their mean leaves its level.
    float edge = 0.5 * (m + ahead), step = 0.25 * abs(ahead - m);
    int reach[2];
    float end[2];
    for (int side = 0; side < 2; ++side) {
        ivec2 go = side == 0 ? along : -along;
        reach[side] = 0;
        for (int i = 1; i <= STEPS; ++i) {
            reach[side] = i;
            end[side] = 0.5 * (luma(at + go * i) + luma(at + go * i + across)) - edge;
            if (abs(end[side]) >= step) break;
        }
    }
    int nearer = reach[0] <= reach[1] ? 0 : 1;
    float span = float(reach[0] + reach[1]);
    float offset = 0.5 - float(reach[nearer]) / span;
    // Only where the edge bends towards this side does it cover part of this pixel.
    bool bends = (end[nearer] < 0.0) != (m - edge < 0.0);
    float mixed = bends && abs(end[nearer]) >= step ? max(offset, 0.0) : 0.0;

    // A pixel unlike all around it (a thin line, a speck) is softened a little.
    float around = (2.0 * (n + s + e + w) + ne + nw + se + sw) / 12.0;
    // Along a straight edge a third of the surroundings differ: that is no speck.
    float speck = smoothstep(0.0, 1.0, clamp(1.5 * abs(around - m) / range - 0.5, 0.0, 1.0));
    mixed = max(mixed, 0.5 * speck * speck);
    vec4 other = texel(at + across);
    float alpha = mix(color.a, other.a, mixed);
    vec3 rgb = mix(color.rgb * color.a, other.rgb * other.a, mixed);
    color = vec4(alpha > 0.0 ? rgb / alpha : color.rgb, alpha);
}
