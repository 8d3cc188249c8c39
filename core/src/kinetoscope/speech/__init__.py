"""From a script to files: the sound, its captions, its cues and the report of its tags."""
