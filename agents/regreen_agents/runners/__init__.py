"""The only doors to running code of the target repository."""
