#ifndef MAPS
#define MAPS 0              // images of normals, roughness and metal, emission
#endif
#include "skinning.glsl"
uniform mat4 to_clip;       // from positions relative to the camera

in vec3 position;
in vec3 normal;
in vec2 uv;
in vec4 color;

out vec3 world_normal;
out vec2 texture_uv;
out vec4 vertex_color;
#if MAPS
out vec3 place;             // relative to the camera
#endif
#if INSTANCED
flat out uint actor_id;
#endif
#if MOTION
out vec3 place_now;         // in clip space: x, y, w
out vec3 place_before;
#endif

void main() {
    vec4 rows[3];
    blend_bones(rows);
#if INSTANCED
    actor_id = uint(instance_texel().y);
#endif
    vec3 turned = skinned_normal(rows, normal);
    world_normal = turned * inversesqrt(max(dot(turned, turned), 1e-30));
    texture_uv = uv;
    vertex_color = color;
    vec3 point = skinned_point(rows, position);
    gl_Position = to_clip * vec4(point, 1.0);
#if MAPS
    place = point;
#endif
#if MOTION
    place_now = gl_Position.xyw;
    blend(bones_before, rows);
    place_before = (to_clip * vec4(skinned_point(rows, position), 1.0)).xyw;
#endif
}
