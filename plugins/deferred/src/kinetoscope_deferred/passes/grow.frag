// A mip plus the smoothed one below it.
uniform sampler2D source;
uniform sampler2D base;
uniform vec2 target_size;

layout(location = 0) out vec4 color;

void main() {
    vec2 at = gl_FragCoord.xy / target_size, texel = 1.0 / vec2(textureSize(source, 0));
    // Four filtered taps half a texel out make the tent of three by three.
    vec4 sum = vec4(0.0);
    for (int y = -1; y <= 1; y += 2)
        for (int x = -1; x <= 1; x += 2) sum += texture(source, at + 0.5 * texel * vec2(x, y));
    color = texelFetch(base, ivec2(gl_FragCoord.xy), 0) + 0.25 * sum;
}
