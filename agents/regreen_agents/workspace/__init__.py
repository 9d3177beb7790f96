"""The only doors to git: repository, worktrees, patching, merging."""
