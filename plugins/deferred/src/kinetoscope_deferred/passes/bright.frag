// What is brighter than the threshold, at half resolution.
uniform sampler2D hdr;
uniform float exposure;
uniform float threshold;

layout(location = 0) out vec4 color;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy) * 2, last = textureSize(hdr, 0) - 1;
    vec3 sum = vec3(0.0);
    float total = 0.0;
    for (int i = 0; i < 4; ++i) {
        vec3 c = texelFetch(hdr, min(pixel + ivec2(i & 1, i >> 1), last), 0).rgb * exposure;
        float peak = max(c.r, max(c.g, c.b));
        // One glittering pixel must not outshine its neighbours (Karis 2013).
        float weight = 1.0 / (1.0 + peak);
        sum += weight * c * max(peak - threshold, 0.0) / max(peak, 1e-6);
        total += weight;
    }
    color = vec4(sum / total, 1.0);
}
