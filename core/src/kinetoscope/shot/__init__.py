"""The shot: from mocap to a film, stage by stage."""
