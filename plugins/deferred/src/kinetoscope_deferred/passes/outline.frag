// Lines where ids differ, where depth leaves its own plane, or where a surface is folded.
#include "camera.glsl"
#include "octahedron.glsl"
uniform usampler2D id_texture;
uniform sampler2D depth_texture;
uniform sampler2D normal_texture;
uniform sampler2D picture_texture;
uniform int reach;          // pixels to either side
uniform vec3 line_color;    // sRGB

layout(location = 0) out vec4 color;

const float FOLD = 0.5;     // cosine between normals at which a fold is drawn, 60 degrees
const float STEP = 0.04;    // of the distance: a step in depth that is drawn

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy), last = textureSize(picture_texture, 0) - 1;
    color = texelFetch(picture_texture, at, 0);
    uint here = texelFetch(id_texture, at, 0).r;
    float z = texelFetch(depth_texture, at, 0).r, away = metres(z);
    vec3 n = from_octahedron(texelFetch(normal_texture, at, 0).rg);
    float drawn = 0.0;
    for (int side = 0; side < 4; ++side) {
        ivec2 step = side < 2 ? ivec2(2 * side - 1, 0) : ivec2(0, 2 * side - 5);
        ivec2 there = clamp(at + step * reach, ivec2(0), last), across = clamp(at - step * reach, ivec2(0), last);
        uint other = texelFetch(id_texture, there, 0).r;
        if (here == 0u && other == 0u) continue;    // the floor and the background have no lines
        if (here != other) { drawn = 1.0; continue; }
        // On a plane 1 / depth is straight over the picture: what leaves that line is a step.
        float bend = 1.0 / metres(texelFetch(depth_texture, there, 0).r) + 1.0 / metres(texelFetch(depth_texture, across, 0).r) - 2.0 / away;
        if (texelFetch(id_texture, across, 0).r == here && abs(bend) * away > STEP) drawn = 1.0;
        if (dot(n, from_octahedron(texelFetch(normal_texture, there, 0).rg)) < FOLD) drawn = 1.0;
    }
    color.rgb = mix(color.rgb, line_color, drawn);
}
