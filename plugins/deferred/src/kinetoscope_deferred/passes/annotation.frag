#include "octahedron.glsl"
uniform vec3 base_color;
layout(location = 0) out vec4 albedo;
layout(location = 1) out vec2 normal;
layout(location = 2) out vec4 material;
layout(location = 3) out uint id;
#if EMISSIVE
layout(location = 4) out vec4 emission;
#endif
void main() {
    albedo = vec4(sqrt(base_color), 1.0);
    normal = to_octahedron(vec3(0.0, 1.0, 0.0));
    material = vec4(0.9, 0.0, 0.0, 0.0);
    id = 0u;
#if EMISSIVE
    emission = vec4(0.0);
#endif
}
