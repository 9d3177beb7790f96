"""Repairs of what a test expects of its surroundings: one file per way."""
