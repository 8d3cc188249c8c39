// Four texels along one axis, leaving out those at another depth: takes out the pattern of the taps.
uniform sampler2D raw;      // visibility, metres: see ssao.frag
uniform ivec2 along;

layout(location = 0) out vec2 occlusion;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    ivec2 last = textureSize(raw, 0) - 1;
    float here = texelFetch(raw, pixel, 0).g;
    float sum = 0.0, total = 0.0;
    for (int i = -2; i <= 2; ++i) {
        ivec2 at = clamp(pixel + along * i, ivec2(0), last);
        vec2 there = texelFetch(raw, at, 0).rg;
        // Ends weigh half: the window is four texels wide, the period of the pattern.
        float weight = (abs(i) == 2 ? 0.5 : 1.0) * max(0.0, 1.0 - abs(there.g - here) / (0.04 * here));
        sum += weight * there.r;
        total += weight;
    }
    occlusion = vec2(sum / total, here);
}
