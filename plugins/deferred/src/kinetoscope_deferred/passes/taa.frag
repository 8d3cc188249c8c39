// Anti-aliasing over time (Karis 2014, "High-quality temporal supersampling"): what was kept of the frames
// before is looked up where this pixel's surface was, held to what its neighbours show now, and mixed in.
#include "camera.glsl"
uniform sampler2D shown;        // this frame, sRGB, alpha not premultiplied
uniform sampler2D depth;
#if MIXED
uniform sampler2D motion;       // pixels, right and down, as a camera that stands still sees it
uniform usampler2D id;
uniform sampler2D kept;         // the frames before, see below
uniform sampler2D past;         // see below
uniform mat3 from_world_before; // to the axes of the camera before
uniform vec3 moved;             // from the camera before to this one, metres
uniform vec2 tangents_before;
uniform float least;            // that a new frame counts
#endif

layout(location = 0) out vec4 mixed;    // squares of the colours, which are nearly light, times alpha; alpha
layout(location = 1) out vec2 surface;  // metres to the nearest around, and frames mixed
layout(location = 2) out vec4 color;    // sRGB, alpha not premultiplied

ivec2 last;

ivec2 inside(ivec2 at) { return clamp(at, ivec2(0), last); }

vec4 light_at(ivec2 at) {
    vec4 c = texelFetch(shown, inside(at), 0);
    return vec4(c.rgb * c.rgb * c.a, c.a);
}

#if MIXED
vec3 to_ycocg(vec3 c) {
    return vec3(0.25 * c.r + 0.5 * c.g + 0.25 * c.b, 0.5 * (c.r - c.b), 0.5 * c.g - 0.25 * (c.r + c.b));
}

vec3 from_ycocg(vec3 c) { return vec3(c.x + c.y - c.z, c.x + c.z, c.x - c.y - c.z); }

// Where in the frame before the surface was that is seen at `pixel`, `away` metres off: pixels and metres.
vec3 before(ivec2 pixel, float away) {
    vec2 gone = texelFetch(id, pixel, 0).r == 0u ? vec2(0.0) : texelFetch(motion, pixel, 0).rg * vec2(1.0, -1.0);
    vec2 here = vec2(pixel) + 0.5;
    vec3 seen = from_world_before * (ray_at(here - gone) * away + moved);
    vec2 there = (seen.xy / (max(-seen.z, planes.x) * tangents_before) * 0.5 + 0.5) * picture;
    return vec3(there - offset - here, -seen.z);
}

// What was kept at a place between texels, by Catmull and Rom's cubic: mixing again and again must not blur.
vec4 kept_at(vec2 place) {
    vec2 at = place - 0.5, first = floor(at), f = at - first;
    vec2 w[4];
    w[0] = f * (-0.5 + f * (1.0 - 0.5 * f));
    w[1] = 1.0 + f * f * (-2.5 + 1.5 * f);
    w[2] = f * (0.5 + f * (2.0 - 1.5 * f));
    w[3] = f * f * (-0.5 + 0.5 * f);
    vec4 sum = vec4(0.0);
    for (int y = 0; y < 4; ++y)
        for (int x = 0; x < 4; ++x)
            sum += w[x].x * w[y].y * texelFetch(kept, inside(ivec2(first) + ivec2(x, y) - 1), 0);
    return max(sum, vec4(0.0));
}
#endif

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    last = textureSize(shown, 0) - 1;
    vec4 now = light_at(pixel);
    // The nearest surface around leads: an outline moves with what is in front.
    ivec2 leader = pixel;
    float nearest = 1.0, farthest = 0.0;
    for (int i = 0; i < 9; ++i) {
        ivec2 at = inside(pixel + ivec2(i % 3, i / 3) - 1);
        float z = texelFetch(depth, at, 0).r;
        farthest = max(farthest, z);
        if (z < nearest) { nearest = z; leader = at; }
    }
    float away = metres(nearest);
#if MIXED
    vec3 mean = vec3(0.0), square = vec3(0.0);
    float thin = 1.0, dense = 0.0;
    for (int i = 0; i < 9; ++i) {
        vec4 c = light_at(pixel + ivec2(i % 3, i / 3) - 1);
        vec3 light = to_ycocg(c.rgb);
        mean += light;
        square += light * light;
        thin = min(thin, c.a);
        dense = max(dense, c.a);
    }
    mean /= 9.0;
    vec3 spread = 0.01 * SPREAD * sqrt(max(square / 9.0 - mean * mean, vec3(0.0))) + 1e-4;

    vec3 gone = before(leader, away);
    vec2 place = gl_FragCoord.xy + gone.xy;
    vec2 seen = texelFetch(past, inside(ivec2(place)), 0).rg;
    bool there = all(greaterThanEqual(place, vec2(0.0))) && all(lessThan(place, picture)) && gone.z > planes.x;
    // Something nearer was there: this has been uncovered since. At an outline the neighbours decide instead.
    there = there && seen.r > gone.z * 0.95 - (metres(farthest) - away);
    float count = there ? seen.g + 1.0 : 1.0;

    // Light is held to the neighbours' spread in YCoCg, towards their mean (Salvi 2016).
    vec4 old = kept_at(place);
    vec3 light = to_ycocg(old.rgb) - mean;
    vec3 reach = abs(light) / spread;
    light = mean + light / max(1.0, max(reach.x, max(reach.y, reach.z)));
    old = vec4(max(from_ycocg(light), vec3(0.0)), clamp(old.a, thin, dense));
    mixed = mix(old, now, max(1.0 / count, least));
    surface = vec2(away, min(count, 255.0));
    color = vec4(sqrt(clamp(mixed.a > 0.0 ? mixed.rgb / mixed.a : vec3(0.0), 0.0, 1.0)), mixed.a);
#else
    mixed = now;
    surface = vec2(away, 1.0);
    color = texelFetch(shown, pixel, 0);
#endif
}
