// Four texels along one axis, leaving out those at another depth: takes out the pattern of the taps.
#include "camera.glsl"
uniform sampler2D depth;
uniform sampler2D raw;
uniform ivec2 along;

layout(location = 0) out float visibility;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    ivec2 last = textureSize(raw, 0) - 1;
    float here = metres(texelFetch(depth, pixel * 2, 0).r);
    float sum = 0.0, total = 0.0;
    for (int i = -2; i <= 2; ++i) {
        ivec2 at = clamp(pixel + along * i, ivec2(0), last);
        float there = metres(texelFetch(depth, at * 2, 0).r);
        // Ends weigh half: the window is four texels wide, the period of the pattern.
        float weight = (abs(i) == 2 ? 0.5 : 1.0) * max(0.0, 1.0 - abs(there - here) / (0.04 * here));
        sum += weight * texelFetch(raw, at, 0).r;
        total += weight;
    }
    visibility = sum / total;
}
