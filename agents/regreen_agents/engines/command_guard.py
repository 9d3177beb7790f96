"""Keeps a command out of the git directory: what it changes there is put back, and told.

Files that make git run something (configuration, hooks) are compared and put back without git;
references and indexes are compared by what they say, so that a shell prompt's `git status` or an
editor's `git fetch` is no offence. What git keeps for remotes, logs and objects is not looked at.
"""

import contextlib
import threading
from dataclasses import dataclass, field
from pathlib import Path

from regreen_agents.domain.identity import Digest, digest_of
from regreen_agents.engines.command_files import Saved, put_back_files, saved_files
from regreen_agents.workspace.git_door import GitDoor, at_tree, metadata_lock

_CONTROL = (
    *("HEAD", "config", "config.worktree", "shallow", "hooks", "info", "remotes", "branches"),
    *("objects/info/alternates", "objects/info/http-alternates"),
)
_OWN = ("gitdir", "commondir", "config.worktree", "regreen-ignored")
_UNWATCHED = ("refs/remotes/", "refs/regreen/")
_OURS = "/.regreen/worktrees/"


@dataclass
class _Repository:
    """What a repository looked like when no command was running."""

    common: Path
    files: dict[Path, Saved]
    refs: dict[str, tuple[str, str]]
    """Reference -> object and, where it is symbolic, its target."""
    indexes: dict[Path, tuple[bytes, Digest]]
    """Git directory of a person's checkout -> its index, and what that says."""
    users: int = 0
    touched: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Watch:
    """One command's stay in one worktree."""

    tree: Path
    base: str
    """The commit the worktree was at."""
    own: dict[Path, Saved]
    admin: Path
    repository: _Repository


class GitGuard:
    """Watches repositories while commands run in their worktrees.

    Commands that run beside each other are compared with one and the same picture, taken before
    the first of them began: what one changes is never taken for the rightful state by another.
    """

    def __init__(self) -> None:
        """Begin with no command running."""
        self._lock = threading.Lock()
        self._repositories: dict[Path, _Repository] = {}

    def begin(self, tree: Path) -> Watch:
        """Remember how things are before a command starts in a worktree.

        Raises:
            RepositoryError: The folder is no worktree.
        """
        door = at_tree(tree)
        failure = "The worktree's commit is not found."
        base = door.run("rev-parse", "--verify", "HEAD^{commit}", failure=failure).line
        admin = door.git_dir or tree / ".git"
        own = saved_files([tree / ".git", *(admin / name for name in _OWN)])
        with self._lock:
            common = door.common_dir
            if common not in self._repositories:
                self._repositories[common] = _picture(common, tree)
            repository = self._repositories[common]
            repository.users += 1
        return Watch(tree, base, own, admin, repository)

    def end(self, watch: Watch, kept: Path) -> tuple[str, ...]:
        """Put back what was changed; the worktree is at its commit again, its files untouched.

        Args:
            watch: From `begin`; every process of the command has ended.
            kept: Folder for copies of what the command left in the git directory.

        Returns:
            What was changed there, by this command or one that ran beside it.
        """
        with self._lock:
            repository = watch.repository
            try:
                # step 1: without git, what could make git run something
                own = put_back_files(watch.own, list(watch.own), kept / "worktree", watch.tree)
                _restore(repository, kept)
                # step 2: the worktree, with git
                _rewind(watch)
            finally:
                repository.users -= 1
                if not repository.users:
                    del self._repositories[repository.common]
            return tuple(sorted({*own, *repository.touched}))


def _picture(common: Path, tree: Path) -> _Repository:
    checkouts = _checkouts(common)
    indexes = {folder: (_index(folder), _said(folder, tree)) for folder in checkouts}
    return _Repository(
        common=common,
        files=saved_files(_control_files(common)),
        refs=_refs(common, tree),
        indexes=indexes,
    )


def _control_files(common: Path) -> list[Path]:
    """Return the places that decide what git does, in the repository and its submodules."""
    homes = [common, *(p.parent for p in sorted((common / "modules").rglob("config")))]
    places = [home / name for home in homes for name in _CONTROL]
    others = [f for f in _checkouts(common) if f != common]
    places += [f / name for f in others for name in ("HEAD", *_OWN)]
    return places


def _checkouts(common: Path) -> list[Path]:
    """Return the git directories of a person's checkouts: ours come and go."""
    found = [common] if common.name == ".git" else []
    for pointer in sorted((common / "worktrees").glob("*/gitdir")):
        with contextlib.suppress(OSError, UnicodeDecodeError):  # half made by somebody else
            if _OURS not in pointer.read_text(encoding="utf-8"):
                found.append(pointer.parent)
    return found


def _refs(common: Path, tree: Path) -> dict[str, tuple[str, str]]:
    asked = "--format=%(refname)%00%(objectname)%00%(symref)"
    answer = GitDoor(tree, common).run(
        "for-each-ref", asked, failure="The references cannot be listed."
    )
    rows = (line.split("\0") for line in answer.out.decode(errors="replace").splitlines())
    return {name: (sha, target) for name, sha, target in rows if not name.startswith(_UNWATCHED)}


def _index(folder: Path) -> bytes:
    try:
        return (folder / "index").read_bytes()
    except OSError:
        return b""


def _said(folder: Path, tree: Path) -> Digest:
    """Return a digest of what an index says, free of the times it keeps."""
    door = GitDoor(tree, folder)
    stages, flags = door.ask("ls-files", "--stage", "-z"), door.ask("ls-files", "-v", "-z")
    return digest_of(b"%d\0" % (stages.status or flags.status) + stages.out + b"\0\0" + flags.out)


def _restore(repository: _Repository, kept: Path) -> None:
    """Put the shared parts back and add what was changed to what is told."""
    common = repository.common
    places = sorted({*repository.files, *_control_files(common)})
    told = put_back_files(repository.files, places, kept / "git", common)
    with metadata_lock(common):
        told += _put_back_refs(repository, kept)
        told += _put_back_indexes(repository, kept)
    repository.touched += told


def _put_back_refs(repository: _Repository, kept: Path) -> list[str]:
    """Put references back; objects stay, so a commit made there can still be looked at."""
    tree = repository.common.parent
    door, now = GitDoor(tree, repository.common), _refs(repository.common, tree)
    wrong = [n for n in {**now, **repository.refs} if now.get(n) != repository.refs.get(n)]
    for name in sorted(wrong, key=lambda name: name in repository.refs):  # new ones go first
        if name in now:
            door.ask("update-ref", "--no-deref", "-d", name)
        if name in repository.refs:
            sha, target = repository.refs[name]
            words = ("symbolic-ref", name, target) if target else ("update-ref", name, sha)
            door.run(*words, failure=f"The reference {name!r} cannot be put back.")
    if wrong:
        kept.mkdir(parents=True, exist_ok=True)
        lines = [f"{name} {' '.join(now.get(name, ('gone',)))}".rstrip() for name in sorted(wrong)]
        (kept / "references.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return wrong


def _put_back_indexes(repository: _Repository, kept: Path) -> list[str]:
    told = []
    for folder, (raw, said) in repository.indexes.items():
        if _said(folder, repository.common.parent) != said:
            place = folder / "index"
            saved = saved_files([place])
            saved[place] = Saved(0o644, raw) if raw else Saved()
            told += put_back_files(saved, [place], kept / "git", repository.common)
    return told


def _rewind(watch: Watch) -> None:
    """Bring HEAD and index of the worktree back to its commit, and leave its files.

    The index is made anew: the old one may say of a changed file that nobody has to look.
    """
    with metadata_lock(watch.repository.common):
        for name in ("index", "index.lock", "HEAD.lock"):
            (watch.admin / name).unlink(missing_ok=True)
        (watch.admin / "HEAD").write_text(f"{watch.base}\n", encoding="utf-8")
        at_tree(watch.tree).run(
            "read-tree", watch.base, failure="The worktree's index cannot be made again."
        )
