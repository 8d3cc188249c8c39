// How bright a texel of the finished picture looks, for finding edges.
uniform sampler2D picture;

ivec2 last;     // texel of the picture; set it before asking

vec4 texel(ivec2 at) { return texelFetch(picture, clamp(at, ivec2(0), last), 0); }

float luma(ivec2 at) {
    vec4 c = texel(at);
    float light = dot(c.rgb, vec3(0.299, 0.587, 0.114));
#if TRANSPARENT
    // The outline before a transparent background is an edge too.
    return 0.5 * (light * c.a + c.a);
#else
    return light;
#endif
}

// The contrast that makes an edge where the brightest around is `high`.
float threshold(float high) { return max(0.0312, 0.125 * high); }
