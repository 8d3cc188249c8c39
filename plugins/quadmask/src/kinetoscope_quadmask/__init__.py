"""The quadmask, the pipeline that makes one, its editor, and the hooks `segmenter` and `reasoner`."""
