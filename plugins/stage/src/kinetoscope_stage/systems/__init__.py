"""The systems that come with the stage."""
