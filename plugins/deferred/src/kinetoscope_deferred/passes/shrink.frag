// The next mip: sixteen texels of the one above through four filtered taps.
uniform sampler2D source;
uniform vec2 target_size;

layout(location = 0) out vec4 color;

void main() {
    vec2 at = gl_FragCoord.xy / target_size, texel = 1.0 / vec2(textureSize(source, 0));
    color = 0.25 * (texture(source, at + texel * vec2(-1, -1)) + texture(source, at + texel * vec2(1, -1))
                  + texture(source, at + texel * vec2(-1, 1)) + texture(source, at + texel * vec2(1, 1)));
}
