"""What a sprint keeps on disk, in ``.regreen/`` of the target repository."""
