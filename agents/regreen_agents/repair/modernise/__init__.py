"""Tests broken by upgrades: a table of what went, and a loop that follows the errors."""
