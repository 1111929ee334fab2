"""The fused CPU path: a whole env step of a population in one compiled call (the torch path stays the reference)."""
