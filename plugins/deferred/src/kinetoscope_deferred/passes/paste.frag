// A picture put into a part of another, texel by texel.
uniform sampler2D source;
uniform ivec2 corner;       // left and bottom of the part
uniform bool opaque;

layout(location = 0) out vec4 color;

void main() {
    color = texelFetch(source, ivec2(gl_FragCoord.xy) - corner, 0);
    if (opaque) color.a = 1.0;
}
