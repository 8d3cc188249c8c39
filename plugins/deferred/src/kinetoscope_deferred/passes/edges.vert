// Two triangles over each tile that has an edge; those of the others have no area.
uniform sampler2D edges;
uniform int tile;           // pixels along an edge
uniform vec2 size;          // of the picture, pixels

void main() {
    int across = textureSize(edges, 0).x, number = gl_VertexID / 6, corner = gl_VertexID % 6;
    ivec2 at = ivec2(number % across, number / across);
    ivec2 offset = corner < 3 ? ivec2(corner & 1, corner >> 1) : 1 - ivec2((corner - 3) & 1, (corner - 3) >> 1);
    if (texelFetch(edges, at, 0).r == 0.0) offset = ivec2(0);
    gl_Position = vec4(vec2((at + offset) * tile) / size * 2.0 - 1.0, 0.0, 1.0);
}
