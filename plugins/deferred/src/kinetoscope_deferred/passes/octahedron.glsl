// Unit vectors as two numbers in [-1, 1] (Cigolle et al. 2014, octahedral mapping).
vec2 fold(vec2 v) {
    return (1.0 - abs(v.yx)) * vec2(v.x >= 0.0 ? 1.0 : -1.0, v.y >= 0.0 ? 1.0 : -1.0);
}

vec2 to_octahedron(vec3 n) {
    vec2 p = n.xy / (abs(n.x) + abs(n.y) + abs(n.z));
    return n.z < 0.0 ? fold(p) : p;
}

vec3 from_octahedron(vec2 e) {
    vec3 n = vec3(e, 1.0 - abs(e.x) - abs(e.y));
    if (n.z < 0.0) n.xy = fold(n.xy);
    return normalize(n);
}
