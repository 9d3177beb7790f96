"""Caches that say so themselves are not copied into worktrees."""

from pathlib import Path

from regreen_agents.workspace.ignored_files import copy_ignored
from scratch_git import Scratch


def test_a_folder_tagged_as_a_cache_stays_where_it_is(empty: Scratch, tmp_path: Path) -> None:
    empty.commit({".gitignore": "target/\nlocal/\n"})
    for name in ("target/CACHEDIR.TAG", "target/debug/shop", "local/settings"):
        empty.write(name, "x")
    tree = tmp_path / "tree"
    tree.mkdir()

    assert copy_ignored(empty.path, tree) == 1

    assert [p.name for p in tree.rglob("*") if p.is_file()] == ["settings"]
