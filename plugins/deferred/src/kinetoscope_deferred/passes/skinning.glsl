// Linear-blend skinning with up to eight bones, whose matrices lie in a texture: GL 3.3 has no
// storage buffers. Three texels a bone, the rows of an affine matrix; 256 bones a row.
#ifndef MOTION
#define MOTION 0
#endif
uniform sampler2D bones;
#if MOTION
uniform sampler2D bones_before;
#endif
uniform int first_bone;
uniform int influences;

in uvec4 joints_a;
in uvec4 joints_b;
in vec4 weights_a;
in vec4 weights_b;

void add_bone(sampler2D held, uint joint, float weight, inout vec4 rows[3]) {
    int bone = first_bone + int(joint);
    ivec2 at = ivec2((bone & 255) * 3, bone >> 8);
    for (int i = 0; i < 3; ++i) rows[i] += weight * texelFetch(held, at + ivec2(i, 0), 0);
}

void blend(sampler2D held, out vec4 rows[3]) {
    rows[0] = rows[1] = rows[2] = vec4(0.0);
    for (int i = 0; i < min(influences, 4); ++i) add_bone(held, joints_a[i], weights_a[i], rows);
    for (int i = 4; i < influences; ++i) add_bone(held, joints_b[i - 4], weights_b[i - 4], rows);
}

void blend_bones(out vec4 rows[3]) { blend(bones, rows); }

vec3 skinned_point(vec4 rows[3], vec3 p) {
    vec4 h = vec4(p, 1.0);
    return vec3(dot(rows[0], h), dot(rows[1], h), dot(rows[2], h));
}

// Normals turn with the cofactors of the matrix, so scale and shear leave them right.
vec3 skinned_normal(vec4 rows[3], vec3 n) {
    vec3 a = rows[0].xyz, b = rows[1].xyz, c = rows[2].xyz;
    vec3 turned = vec3(dot(cross(b, c), n), dot(cross(c, a), n), dot(cross(a, b), n));
    return turned * (dot(a, cross(b, c)) < 0.0 ? -1.0 : 1.0);
}
