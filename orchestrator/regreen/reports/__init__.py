"""Reports, computed from the record of a sprint and nothing else."""
