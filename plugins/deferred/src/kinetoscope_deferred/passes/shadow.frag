#if CUTOUT
#include "wrap.glsl"
uniform float base_alpha;
uniform float alpha_cutoff;
uniform bool textured;
uniform sampler2D base_color_image;
in vec2 texture_uv;
in float vertex_alpha;
#endif

void main() {
#if CUTOUT
    float alpha = base_alpha * vertex_alpha;
    if (textured) alpha *= texture(base_color_image, wrapped(texture_uv)).a;
    if (alpha < alpha_cutoff) discard;
#endif
}
