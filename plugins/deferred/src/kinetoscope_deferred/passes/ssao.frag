// Ambient occlusion at half resolution. Every tap is a texelFetch at a whole pixel: a sampled tap at
// a half-resolution centre lies on a texel's corner, where drivers differ.
#include "camera.glsl"
#include "octahedron.glsl"
uniform sampler2D depth;
uniform sampler2D normal;
uniform float radius;       // metres

layout(location = 0) out vec2 occlusion;    // what is seen of the sky; metres along the camera's axis

const float GOLDEN_ANGLE = 2.39996323;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy) * 2;
    float here = texelFetch(depth, pixel, 0).r;
    float away = metres(here);
    if (here >= 1.0) { occlusion = vec2(1.0, away); return; }
    vec3 n = from_octahedron(texelFetch(normal, pixel, 0).rg);
    vec3 p = ray_at(vec2(pixel) + 0.5) * away;
    // The pattern turns through sixteen steps within four by four pixels, which the blur takes out.
    ivec2 cell = ivec2(gl_FragCoord.xy) & 3;
    float turn = 6.2831853 * float((cell.x * 4 + cell.y) * 7 % 16) / 16.0;
    // On a floor the pattern goes by the camera's axes: no direction of the world's is better than another,
    // and turning the world and the camera together leaves the picture as it is.
    vec3 level = abs(dot(n, to_world[0])) < 0.7 ? to_world[0] : to_world[1];
    vec3 side = normalize(cross(n, abs(n.y) < 0.9 ? vec3(0, 1, 0) : level));
    vec3 other = cross(n, side);
    p += n * (0.002 + 0.0015 * away);
    float open = 0.0;
    for (int i = 0; i < SAMPLES; ++i) {
        // Cosine-weighted directions on a spiral, at distances spread over the radius.
        float u = (float(i) + 0.5) / float(SAMPLES);
        float angle = float(i) * GOLDEN_ANGLE + turn;
        float spread = sqrt(u);
        vec3 direction = spread * (cos(angle) * side + sin(angle) * other) + sqrt(1.0 - u) * n;
        float along = fract(float(i) * 0.618034 + turn * 0.159155);
        vec3 tap = p + direction * radius * mix(0.1, 1.0, along);
        vec3 seen = transpose(to_world) * tap;
        ivec2 at = ivec2((seen.xy / (-seen.z * tangents) * 0.5 + 0.5) * picture - offset);
        if (-seen.z < planes.x || any(lessThan(at, ivec2(0))) || any(greaterThanEqual(at, ivec2(picture)))) {
            open += 1.0;
            continue;
        }
        float wall = metres(texelFetch(depth, at, 0).r);
        float behind = -seen.z - wall;
        // What lies far in front hides nothing: it is another body, not a corner.
        float hidden = behind > 0.0 ? 1.0 - smoothstep(0.5 * radius, 1.5 * radius, behind) : 0.0;
        open += 1.0 - hidden;
    }
    occlusion = vec2(open / float(SAMPLES), away);
}
