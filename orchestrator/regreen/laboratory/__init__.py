"""The laboratory as a person uses it, without a sprint: flaky, diagnose, bisect."""
