// A mip plus the smoothed one below it.
uniform sampler2D source;
uniform sampler2D base;
uniform vec2 target_size;

layout(location = 0) out vec4 color;

void main() {
    vec2 at = gl_FragCoord.xy / target_size, texel = 1.0 / vec2(textureSize(source, 0));
    vec4 sum = 4.0 * texture(source, at);
    for (int y = -1; y <= 1; y += 2)
        for (int x = -1; x <= 1; x += 2) sum += texture(source, at + texel * vec2(x, y));
    sum += 2.0 * (texture(source, at + vec2(texel.x, 0)) + texture(source, at - vec2(texel.x, 0))
                + texture(source, at + vec2(0, texel.y)) + texture(source, at - vec2(0, texel.y)));
    color = texelFetch(base, ivec2(gl_FragCoord.xy), 0) + sum / 16.0;
}
