#ifndef MAPS
#define MAPS 0              // images of normals, roughness and metal, emission
#endif
#ifndef INSTANCED
#define INSTANCED 0         // many draws of one mesh, as in skinning.glsl
#endif
#ifndef LAYER
#define LAYER 0             // a layer of transparent surfaces
#endif
#ifndef GHOST
#define GHOST 0             // a layer that is the nearest surface of a ghost
#endif
#include "octahedron.glsl"
#include "wrap.glsl"
uniform vec4 base_color;
uniform vec2 rough_metal;
uniform vec3 emissive;
#if INSTANCED
flat in uint actor_id;
#else
uniform uint actor_id;
#endif
uniform int alpha_mode;     // 0 opaque, 1 cut out, 2 blended (dithered)
uniform float alpha_cutoff;
uniform bool textured;
uniform sampler2D base_color_image;

#if MAPS
uniform bvec3 mapped;       // whether there are images of normals, of roughness and metal, of emission
uniform float normal_scale;
uniform sampler2D normal_image;
uniform sampler2D metallic_roughness_image;
uniform sampler2D emissive_image;
in vec3 place;
#endif

in vec3 world_normal;
in vec2 texture_uv;
in vec4 vertex_color;

layout(location = 0) out vec4 albedo;       // square roots, which spends the eight bits evenly
layout(location = 1) out vec2 normal;
layout(location = 2) out vec4 material;     // roughness, metallic, what comes through from behind, unused
#if LAYER
layout(location = 3) out float layer;       // depth, which no depth buffer holds to the bit
uniform sampler2D depth;                    // of what is opaque
uniform sampler2D nearer;                   // places of the layer before, which is nearer
#if GHOST
uniform vec3 ghost_color;
uniform bool tinted;
uniform float opacity;
uniform vec3 margin;        // a share of the distance, the depth of what is infinitely far away, a few steps of depth
#endif
#else
layout(location = 3) out uint id;
#endif
#if EMISSIVE
layout(location = 4) out vec4 emission;
#endif
#if MOTION      // pixels, right and down
#if EMISSIVE
layout(location = 5) out vec2 motion;
#else
layout(location = 4) out vec2 motion;
#endif
uniform vec2 picture;
uniform float near;
in vec3 place_now;
in vec3 place_before;
#endif

// Interleaved gradient noise (Jimenez 2014): a threshold for each pixel, the same in each frame.
float threshold(vec2 pixel) {
    return fract(52.9829189 * fract(dot(pixel, vec2(0.06711056, 0.00583715))));
}

#if MAPS
// A normal bent by a normal map (glTF 2.0, 3.9.3): u grows along the tangent, v down, against the bitangent.
vec3 bent(vec3 n, vec2 uv) {
    vec3 dx = dFdx(place), dy = dFdy(place);
    vec2 ux = dFdx(texture_uv), uy = dFdy(texture_uv);
    float area = ux.x * uy.y - uy.x * ux.y, sense = area < 0.0 ? -1.0 : 1.0;
    vec3 along = sense * (dx * uy.y - dy * ux.y), down = sense * (dy * ux.x - dx * uy.x);
    vec3 tangent = along - n * dot(n, along);
    float size = dot(tangent, tangent);
    if (area == 0.0 || size < 1e-30) return n;
    tangent *= inversesqrt(size);
    vec3 across = cross(n, tangent);
    across *= dot(across, down) > 0.0 ? -1.0 : 1.0;
    vec3 texel = texture(normal_image, uv).rgb * 2.0 - 1.0;
    texel.xy *= normal_scale;
    return normalize(tangent * texel.x + across * texel.y + n * texel.z);
}
#endif

void main() {
#if LAYER
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    float there = texelFetch(depth, pixel, 0).r;
#if GHOST
    if (there < 1.0) there -= margin.x * (margin.y - there) + margin.z;
#endif
    if (gl_FragCoord.z >= there) discard;
#if !GHOST
    if (gl_FragCoord.z <= texelFetch(nearer, pixel, 0).r) discard;
#endif
#endif
    vec4 surface = base_color * vertex_color;
    if (textured) surface *= texture(base_color_image, wrapped(texture_uv));
    if (alpha_mode == 1 && surface.a < alpha_cutoff) discard;
#if LAYER
    if (alpha_mode == 2 && surface.a <= 0.0) discard;
#else
    if (alpha_mode == 2 && surface.a <= threshold(gl_FragCoord.xy)) discard;
#endif
#if GHOST
    surface = vec4(tinted ? ghost_color : surface.rgb, opacity * (alpha_mode == 2 ? min(surface.a, 1.0) : 1.0));
#endif
    vec3 n = normalize(world_normal);
    vec2 surfaced = rough_metal;
    vec3 glow = emissive;
#if MAPS
    vec2 uv = wrapped(texture_uv);
    if (mapped.x) n = bent(n, uv);
    if (mapped.y) surfaced *= texture(metallic_roughness_image, uv).gb;
    if (mapped.z) glow *= texture(emissive_image, uv).rgb;
#endif
    albedo = vec4(sqrt(clamp(surface.rgb, 0.0, 1.0)), 1.0);
    normal = to_octahedron(gl_FrontFacing ? n : -n);
#if LAYER
    material = vec4(surfaced, 1.0 - min(surface.a, 1.0), 0.0);
    layer = gl_FragCoord.z;
#else
    material = vec4(surfaced, 0.0, 0.0);
    id = actor_id;
#endif
#if EMISSIVE
    emission = vec4(glow, 1.0);
#endif
#if MOTION
    vec2 gone = place_now.xy / place_now.z - place_before.xy / max(place_before.z, near);
    motion = place_before.z < near ? vec2(0.0) : gone * vec2(0.5, -0.5) * picture;
#endif
}
