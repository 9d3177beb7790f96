"""The stages of a sprint, one node per file."""
