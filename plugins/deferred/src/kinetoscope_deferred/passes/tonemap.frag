// From light to the picture: bloom, exposure, tone curve, background, sRGB.
uniform sampler2D hdr;
uniform sampler2D glow;
uniform bool glowing;
uniform float glow_strength;
uniform float exposure;
uniform int curve;          // 0 none, 1 ACES, 2 neutral
uniform vec4 background;

layout(location = 0) out vec4 color;        // sRGB, alpha not premultiplied

// Narkowicz's fit of the ACES reference curve (2015).
vec3 aces(vec3 x) { return x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14); }

// Khronos PBR Neutral (2024): straight up to 0.76, then ever less of what comes on top, which pales.
vec3 neutral(vec3 x) {
    float low = min(x.r, min(x.g, x.b));
    x -= low < 0.08 ? low - 6.25 * low * low : 0.04;
    float peak = max(x.r, max(x.g, x.b));
    if (peak < 0.76) return x;
    float lowered = 1.0 - 0.0576 / (peak - 0.52);
    return mix(vec3(lowered), x * (lowered / peak), 1.0 / (0.15 * (peak - lowered) + 1.0));
}

vec3 toned(vec3 x) { return curve == 1 ? aces(x) : curve == 2 ? neutral(x) : x; }

// The power curve as a sum of roots, which every processor has: off by a hundredth of a level at most.
vec3 to_srgb(vec3 c) {
    vec3 root2 = sqrt(c), root4 = sqrt(root2), root8 = sqrt(root4);
    vec3 curve = 0.653975845 * root2 + 0.688728154 * root4 - 0.318484304 * root8 - 0.020185495 * c - 0.00406544847;
    return mix(12.92 * c, curve, greaterThan(c, vec3(0.0031308)));
}

void main() {
    vec4 light = texelFetch(hdr, ivec2(gl_FragCoord.xy), 0);
    // Coverage is taken out before the curve and put back after it: a faded floor keeps its tone.
    vec3 seen = light.a > 0.0 ? light.rgb / light.a * exposure : vec3(0.0);
    vec3 glare = glowing ? glow_strength * texture(glow, gl_FragCoord.xy / vec2(textureSize(hdr, 0))).rgb : vec3(0.0);
    vec3 mapped = toned(seen + glare);
    // Over the background glare only adds: where there is none the plate stays as it was given.
    vec3 behind = background.rgb + toned(glare);
    float left = (1.0 - light.a) * background.a;
    float alpha = light.a + left;
    vec3 over = alpha > 0.0 ? (clamp(mapped, 0.0, 1.0) * light.a + behind * left) / alpha : behind;
    color = vec4(to_srgb(clamp(over, 0.0, 1.0)), alpha);
}
