// Skinning with up to eight bones, whose matrices lie in a texture: GL 3.3 has no storage buffers.
// Three texels a bone, the rows of an affine matrix; 256 bones a row. With DUAL a bone takes six: what it
// stretches and how it moves in three, its turn in the fourth.
#ifndef MOTION
#define MOTION 0
#endif
#ifndef DUAL
#define DUAL 0
#endif
#ifndef INSTANCED
#define INSTANCED 0         // many draws of one mesh, told apart by gl_InstanceID
#endif
uniform sampler2D bones;
#if MOTION
uniform sampler2D bones_before;
#endif
#if INSTANCED
uniform sampler2D instances;    // for each where its bones begin, and its id; 256 in a row
uniform int first_instance;
int first_bone;                 // set by blend_bones
vec4 instance_texel() {
    int i = first_instance + gl_InstanceID;
    return texelFetch(instances, ivec2(i & 255, i >> 8), 0);
}
#else
uniform int first_bone;
#endif
uniform int influences;

in uvec4 joints_a;
in uvec4 joints_b;
in vec4 weights_a;
in vec4 weights_b;

vec4 bone_texel(sampler2D held, uint joint, int i) {
    int bone = first_bone + int(joint) * (1 + DUAL) + i / 3;
    return texelFetch(held, ivec2((bone & 255) * 3 + i % 3, bone >> 8), 0);
}

#if DUAL
// Dual quaternions (Kavan et al. 2008). The first bone is the heaviest: of q and -q the one on its side is
// taken, and moves count from its own, so that nothing is lost to rounding.
vec4 product(vec4 a, vec4 b) {
    return vec4(a.w * b.xyz + b.w * a.xyz + cross(a.xyz, b.xyz), a.w * b.w - dot(a.xyz, b.xyz));
}

void add_bone(sampler2D held, uint joint, float weight, vec4 pivot, vec3 start,
              inout mat3 stretch, inout vec4 real, inout vec4 dual) {
    vec3 moved;
    for (int i = 0; i < 3; ++i) {
        vec4 row = bone_texel(held, joint, i);
        stretch[i] += weight * row.xyz;
        moved[i] = row.w;
    }
    vec4 turn = bone_texel(held, joint, 3) * weight;
    if (dot(turn, pivot) < 0.0) turn = -turn;
    real += turn;
    dual += product(vec4(0.5 * (moved - start), 0.0), turn);
}

void blend(sampler2D held, out vec4 rows[3]) {
    vec4 pivot = bone_texel(held, joints_a[0], 3), real = vec4(0.0), dual = vec4(0.0);
    vec3 start;
    for (int i = 0; i < 3; ++i) start[i] = bone_texel(held, joints_a[0], i).w;
    mat3 stretch = mat3(0.0);   // symmetric: its rows are its columns
    for (int i = 0; i < min(influences, 4); ++i)
        add_bone(held, joints_a[i], weights_a[i], pivot, start, stretch, real, dual);
    for (int i = 4; i < influences; ++i)
        add_bone(held, joints_b[i - 4], weights_b[i - 4], pivot, start, stretch, real, dual);
    float shrink = 1.0 / dot(real, real);
    vec3 moved = start + 2.0 * shrink * product(dual, vec4(-real.xyz, real.w)).xyz;
    real *= sqrt(shrink);
    for (int i = 0; i < 3; ++i) {
        // A column of the stretch, turned.
        vec3 column = stretch[i], once = cross(real.xyz, column) + real.w * column;
        column += 2.0 * cross(real.xyz, once);
        for (int j = 0; j < 3; ++j) rows[j][i] = column[j];
        rows[i].w = moved[i];
    }
}
#else
void add_bone(sampler2D held, uint joint, float weight, inout vec4 rows[3]) {
    for (int i = 0; i < 3; ++i) rows[i] += weight * bone_texel(held, joint, i);
}

void blend(sampler2D held, out vec4 rows[3]) {
    rows[0] = rows[1] = rows[2] = vec4(0.0);
    for (int i = 0; i < min(influences, 4); ++i) add_bone(held, joints_a[i], weights_a[i], rows);
    for (int i = 4; i < influences; ++i) add_bone(held, joints_b[i - 4], weights_b[i - 4], rows);
}
#endif

void blend_bones(out vec4 rows[3]) {
#if INSTANCED
    first_bone = int(instance_texel().x);
#endif
    blend(bones, rows);
}

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
