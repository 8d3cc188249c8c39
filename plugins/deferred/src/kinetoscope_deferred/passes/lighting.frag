// Everything that is lit, from the G-buffer alone: no mesh is drawn here.
#include "camera.glsl"
#include "octahedron.glsl"
uniform sampler2D depth;
uniform sampler2D albedo;
uniform sampler2D normal;
uniform sampler2D material;
#if EMISSIVE
uniform sampler2D emission;
#endif
uniform sampler2D occlusion; // visibility, metres: see ssao.frag
uniform bool occluded;
#if SURROUNDED
uniform vec3 irradiance[9];
uniform sampler2DArray mirrored;
#endif
uniform sampler2D split_sum;    // by the cosine to the eye and roughness: factor on f0, and what is added
#if BACKDROP
uniform sampler2D backdrop;     // what is seen where nothing is, by latitude and longitude
#endif
uniform vec3 sky;
uniform vec3 earth;
#if FOG
uniform vec4 fog;           // linear RGB, density per metre
#endif

uniform sampler2D lights;   // four texels each, see lighting.py: suns first, then lamps
uniform int sun_count;
uniform bool shadowed;      // the first sun has the shadow map
uniform vec3 to_sun;        // its direction and power, which each pixel would read of the texture else
uniform vec3 sun_power;
uniform int lamp_count;
uniform usampler2D tile_lights; // a bit for each lamp that reaches a tile, see tile_lights.frag
uniform int tile;           // pixels along an edge
uniform sampler2DShadow shadow_map;
uniform mat3 sun_axes;      // to right, up and along the sun's way
uniform vec4 cascade_fit[CASCADES];     // middle, 1 / width, a texel's width: metres; 0 where nothing casts
uniform vec4 cascade_deep[CASCADES];    // least distance along the sun's way, 1 / range, slack; end of its part
uniform float seam;         // share of a part's end over which it goes over into the next

layout(location = 0) out vec4 hdr;          // light times coverage, coverage

const float PI = 3.14159265;

// What all lights need of a surface, worked out once for a pixel.
struct Surface {
    vec3 n, v, diffuse, f0; // normal, direction to the eye, colours; diffuse is divided by pi
    float nv, a2;           // cosine between n and v, GGX's alpha squared
    float eye_masking;      // Smith's root for the eye's side
};

Surface surface_of(vec3 n, vec3 v, vec3 diffuse, vec3 f0, float roughness) {
    float nv = max(dot(n, v), 1e-4), a = max(roughness * roughness, 2e-3), a2 = a * a;
    return Surface(n, v, diffuse * (1.0 / PI), f0, nv, a2, sqrt(nv * nv * (1.0 - a2) + a2));
}

// GGX with Smith's height-correlated masking and Schlick's Fresnel term (Karis 2013, Heitz 2014).
// The half vector is only met in cosines: |v + l|^2 = 2 + 2 v.l for unit vectors.
vec3 reflected(Surface s, vec3 l, float nl) {
    float open = 1.0 + dot(s.v, l), scale = inversesqrt(max(2.0 * open, 1e-8));
    float nh = clamp((dot(s.n, s.v) + nl) * scale, 0.0, 1.0), vh = clamp(open * scale, 0.0, 1.0);
    float d = nh * nh * (s.a2 - 1.0) + 1.0;
    float masking = nl * s.eye_masking + s.nv * sqrt(nl * nl * (1.0 - s.a2) + s.a2);
    float gloss = 0.5 * s.a2 / (PI * d * d * masking);
    float away = 1.0 - vh, away2 = away * away;
    vec3 fresnel = s.f0 + (1.0 - s.f0) * (away2 * away2 * away);
    return (s.diffuse + (gloss - s.diffuse) * fresnel) * nl;
}

// What a surface mirrors of light from all around.
vec3 environment(vec3 f0, float roughness, float nv) {
    vec2 split = textureLod(split_sum, (vec2(clamp(nv, 0.0, 1.0), roughness) * 31.0 + 0.5) / 32.0, 0.0).rg;
    return f0 * split.x + split.y;
}

#if SURROUNDED
// Irradiance over pi, by spherical harmonics of order 2 (Ramamoorthi and Hanrahan 2001).
vec3 fallen(vec3 n) {
    vec3 flat_ = 0.28209479 * irradiance[0] + 0.48860251 * (n.y * irradiance[1] + n.z * irradiance[2] + n.x * irradiance[3]);
    vec3 bent = 1.09254843 * (n.x * n.y * irradiance[4] + n.y * n.z * irradiance[5] + n.x * n.z * irradiance[7]);
    vec3 round_ = 0.31539157 * (3.0 * n.z * n.z - 1.0) * irradiance[6] + 0.54627422 * (n.x * n.x - n.y * n.y) * irradiance[8];
    return max(flat_ + bent + round_, vec3(0.0));
}

// What is mirrored in a direction, between the two pictures for roughnesses next to this one.
vec3 mirrored_in(vec3 way, float roughness) {
    vec2 at = vec2(atan(way.x, -way.z) * (0.5 / PI) + 0.5, acos(clamp(way.y, -1.0, 1.0)) / PI);
    int last = textureSize(mirrored, 0).z - 1;
    float level = clamp(roughness, 0.0, 1.0) * float(last), first = min(floor(level), float(last - 1));
    return mix(textureLod(mirrored, vec3(at, first), 0.0).rgb, textureLod(mirrored, vec3(at, first + 1.0), 0.0).rgb, level - first);
}
#endif

#if BACKDROP
// What is seen in a direction where nothing is.
vec3 behind(vec3 way) {
    vec2 at = vec2(0.5 * atan(way.x, -way.z), -atan(way.y, length(way.xz))) / PI + 0.5;
    return textureLod(backdrop, at, 0.0).rgb;
}
#endif

vec3 hemisphere(vec3 n) { return mix(earth, sky, 0.5 + 0.5 * n.y); }

// The share of the sun in one square of its map.
float in_cascade(int c, vec3 p, vec3 n, float graze) {
    vec4 fit = cascade_fit[c], deep = cascade_deep[c];
    if (fit.z == 0.0) return 1.0;
    // Moved off the surface by about a texel, more where the light grazes it.
    vec3 at = sun_axes * (p + n * fit.w * (0.6 + 1.4 * graze));
    vec3 place = vec3((at.xy - fit.xy) * fit.z + 0.5, (at.z - deep.x) * deep.y);
    if (any(lessThan(place.xy, vec2(0.0))) || any(greaterThan(place.xy, vec2(1.0))) || place.z < 0.0) return 1.0;
    place.z = min(place.z, 1.0) - deep.z;
    place.x = (place.x + float(c)) / float(CASCADES);
    vec2 step = 1.0 / vec2(textureSize(shadow_map, 0));
    float open = 0.0;
    for (int y = 0; y < SHADOW_TAPS; ++y)
        for (int x = 0; x < SHADOW_TAPS; ++x) {
            vec2 tap = (vec2(x, y) - 0.5 * float(SHADOW_TAPS - 1)) * step;
            open += texture(shadow_map, vec3(place.xy + tap, place.z));
        }
    return open / float(SHADOW_TAPS * SHADOW_TAPS);
}

float lit_by_sun(vec3 p, vec3 n, vec3 l, float away) {
    float facing = clamp(dot(n, l), 0.0, 1.0);
    float graze = sqrt(1.0 - facing * facing);
    int c = 0;
    for (int i = 0; i < CASCADES - 1; ++i) c += away > cascade_deep[i].w ? 1 : 0;
    float open = in_cascade(c, p, n, graze);
#if CASCADES > 1
    // A loop and no branch: drivers without a graphics card would take it for every pixel.
    float end = cascade_deep[c].w, part = (away / end - 1.0 + seam) / seam;
    for (int i = 0; i < (c < CASCADES - 1 && part > 0.0 ? 1 : 0); ++i)
        open = mix(open, in_cascade(c + 1, p, n, graze), part);
#endif
    return open;
}

// Occlusion from half resolution: bilinear, leaving out texels of another surface.
float visibility_at(ivec2 pixel, float away) {
    ivec2 last = textureSize(occlusion, 0) - 1;
    vec2 at = vec2(pixel) * 0.5;
    ivec2 first = ivec2(floor(at));
    vec2 part = at - vec2(first);
    float sum = 0.0, total = 0.0, steep = 1.0 / (0.04 * away);
    for (int i = 0; i < 4; ++i) {
        ivec2 offset = ivec2(i & 1, i >> 1);
        ivec2 tap = min(first + offset, last);
        vec2 there = texelFetch(occlusion, tap, 0).rg;
        vec2 near = mix(1.0 - part, part, vec2(offset));
        float weight = (near.x * near.y + 1e-3) * max(1e-4, 1.0 - abs(there.g - away) * steep);
        sum += weight * there.r;
        total += weight;
    }
    return sum / total;
}

vec4 light_texel(int light, int which) { return texelFetch(lights, ivec2((light & 255) * 4 + which, light >> 8), 0); }

vec3 from_sun(vec3 to, vec3 power, Surface s) {
    float nl = dot(s.n, to);
    return nl > 0.0 ? power * reflected(s, to, nl) : vec3(0.0);
}

vec3 from_lamp(int i, vec3 p, Surface s) {
    vec4 place = light_texel(i, 0), power = light_texel(i, 1);
    vec3 to = place.xyz - p;
    float d2 = dot(to, to), part = d2 / (place.w * place.w);
    float window = max(1.0 - part * part, 0.0);
    float strength = window * window / max(d2, 1e-4);
    to *= inversesqrt(max(d2, 1e-12));
#if SPOTS
    if (power.w > 1.5) {
        vec4 axis = light_texel(i, 2);
        strength *= smoothstep(axis.w, light_texel(i, 3).x, -dot(to, axis.xyz));
    }
#endif
    float nl = dot(s.n, to);
    return strength > 0.0 && nl > 0.0 ? strength * power.rgb * reflected(s, to, nl) : vec3(0.0);
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    float z = texelFetch(depth, pixel, 0).r;
#if BACKDROP
    if (z >= 1.0) { hdr = vec4(behind(ray_at(gl_FragCoord.xy)), 1.0); return; }
#else
    if (z >= 1.0) { hdr = vec4(0.0); return; }
#endif
    vec3 surface = texelFetch(albedo, pixel, 0).rgb;
    surface *= surface;
    vec4 kind = texelFetch(material, pixel, 0);
    vec3 n = from_octahedron(texelFetch(normal, pixel, 0).rg);
    float away = metres(z);
    vec3 p = ray_at(gl_FragCoord.xy) * away;
    vec3 v = -normalize(p);
    vec3 diffuse = surface * (1.0 - kind.g), f0 = mix(vec3(0.04), surface, kind.g);
    Surface s = surface_of(n, v, diffuse, f0, kind.r);
    float visible = occluded ? visibility_at(pixel, away) : 1.0;

    vec3 gloss = environment(f0, kind.r, dot(n, v));
#if SURROUNDED
    vec3 color = visible * (diffuse * fallen(n) + gloss * mirrored_in(reflect(-v, n), kind.r));
#else
    vec3 color = visible * (diffuse * hemisphere(n) + gloss * hemisphere(reflect(-v, n)));
#endif
    // Drivers without a graphics card take every branch: the shadow is not asked for within the loop.
    if (shadowed) color += lit_by_sun(p, n, to_sun, away) * from_sun(to_sun, sun_power, s);
    for (int i = shadowed ? 1 : 0; i < sun_count; ++i) color += from_sun(light_texel(i, 0).xyz, light_texel(i, 1).rgb, s);
    int rows = (textureSize(depth, 0).y + tile - 1) / tile;
    for (int group = 0; group * 128 < lamp_count; ++group) {
        uvec4 reaching = texelFetch(tile_lights, pixel / tile + ivec2(0, group * rows), 0);
        int words = min(4, (lamp_count - group * 128 + 31) / 32);
        for (int word = 0; word < words; ++word)
            for (uint bits = reaching[word]; bits != 0u; bits &= bits - 1u) {
                // The lowest bit's number is the exponent of its value.
                int bit = int(floatBitsToUint(float(bits & (~bits + 1u))) >> 23) - 127;
                color += from_lamp(sun_count + group * 128 + word * 32 + bit, p, s);
            }
    }
#if EMISSIVE
    color += texelFetch(emission, pixel, 0).rgb;
#endif
#if FOG
    color = mix(fog.rgb, color, exp(-fog.a * length(p)));
#endif
    float coverage = 1.0 - kind.b;
    hdr = vec4(min(color, vec3(60000.0)) * coverage, coverage);
#if BACKDROP
    hdr += (1.0 - coverage) * vec4(behind(p), 1.0);
#endif
}
