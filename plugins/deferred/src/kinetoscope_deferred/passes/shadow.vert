#include "skinning.glsl"
uniform mat4 to_light;

in vec3 position;
#if CUTOUT
in vec2 uv;
in vec4 color;
out vec2 texture_uv;
out float vertex_alpha;
#endif

void main() {
    vec4 rows[3];
    blend_bones(rows);
#if CUTOUT
    texture_uv = uv;
    vertex_alpha = color.a;
#endif
    gl_Position = to_light * vec4(skinned_point(rows, position), 1.0);
}
