"""Fixes that need no model: recipes for known causes, search for small bugs."""
