"""Organisms: what an animal is; a body and a brain joined by two maps."""
