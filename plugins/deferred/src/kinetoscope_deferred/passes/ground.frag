#include "camera.glsl"
#include "octahedron.glsl"
uniform float height;       // of the ground over the camera, metres
uniform vec2 corner;        // the camera's place on the grid, metres
uniform float spacing;      // between lines, metres; 0 for none
uniform vec3 ground_color;
uniform vec3 line_color;
uniform float smoothing;    // pixels that lines are smoothed over
uniform vec2 fade;          // distances at which the floor begins to fade and is gone, metres

layout(location = 0) out vec4 albedo;
layout(location = 1) out vec2 normal;
layout(location = 2) out vec4 material;
layout(location = 3) out uint id;
#if EMISSIVE
layout(location = 4) out vec4 emission;
#endif

// How much of a pixel `reach` wide, at x, lies on lines `width` wide that stand at whole numbers.
vec2 lines(vec2 x, vec2 reach, float width) {
    reach = max(reach, 1e-5);
    vec2 a = x - 0.5 * reach + 0.5 * width, b = a + reach;
    vec2 upto_a = width * floor(a) + min(fract(a), width);
    vec2 upto_b = width * floor(b) + min(fract(b), width);
    return (upto_b - upto_a) / reach;
}

float covered(vec2 place, vec2 reach, float width) {
    vec2 cover = lines(place, reach, width);
    return 1.0 - (1.0 - cover.x) * (1.0 - cover.y);
}

void main() {
    vec3 ray = ray_at(gl_FragCoord.xy);
    float away = height / ray.y;            // metres along the camera's axis
    vec2 place = away * ray.xz + corner;
    vec2 reach = smoothing * fwidth(place);
    if (!(away > planes.x && away < planes.y)) discard;
    float line = 0.0;
    if (spacing > 0.0) {
        line = covered(place / spacing, reach / spacing, 0.016 / spacing);
        line = max(line, covered(place / (5.0 * spacing), reach / (5.0 * spacing), 0.03 / (5.0 * spacing)));
    }
    albedo = vec4(sqrt(mix(ground_color, line_color, line)), 1.0);
    normal = to_octahedron(vec3(0.0, height < 0.0 ? 1.0 : -1.0, 0.0));
    material = vec4(0.9, 0.0, smoothstep(fade.x, fade.y, length(away * ray.xz)), 0.0);
    id = 0u;
#if EMISSIVE
    emission = vec4(0.0);
#endif
    gl_FragDepth = depth_of(away);
}
