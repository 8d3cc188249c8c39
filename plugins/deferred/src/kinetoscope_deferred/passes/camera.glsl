// The camera, and what its depth buffer means. Positions are relative to the camera, in the world's axes.
uniform mat3 to_world;      // from the camera's axes
uniform vec2 tangents;      // half width and height of the picture at one metre
uniform vec2 planes;        // near and far, metres
uniform vec2 picture;       // width and height, pixels
uniform vec2 offset;        // from the centre of a pixel to where this frame looks, pixels, up

// Direction through a pixel where this frame looks, one metre long along the camera's axis.
vec3 ray_at(vec2 pixel) {
    vec2 ndc = (pixel + offset) / picture * 2.0 - 1.0;
    return to_world * vec3(ndc * tangents, -1.0);
}

// Metres along the camera's axis of a depth value.
float metres(float depth) {
    float n = planes.x, f = planes.y;
    return 2.0 * f * n / ((f + n) - (depth * 2.0 - 1.0) * (f - n));
}

float depth_of(float metres) {
    float n = planes.x, f = planes.y;
    return 0.5 * ((f + n) / (f - n) - 2.0 * f * n / ((f - n) * metres)) + 0.5;
}
