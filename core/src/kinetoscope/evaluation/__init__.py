"""How good a model's motion is, as the field measures it: on clips that it has not seen."""
