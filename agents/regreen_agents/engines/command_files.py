"""Files remembered by their bytes, and put back without asking git."""

import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.errors import RepositoryError


@dataclass(frozen=True)
class Saved:
    """A file or link as it was; nothing where there was none."""

    mode: int | None = None
    """Permission bits; None where there was nothing."""
    content: bytes = b""
    """A link's target."""
    is_link: bool = False


def saved_files(places: Iterable[Path]) -> dict[Path, Saved]:
    """Remember files, links, and everything below folders; links are not followed."""
    found: dict[Path, Saved] = {}
    for place in places:
        for path in _below(place):
            found[path] = _saved(path)
    return found


def put_back_files(
    before: Mapping[Path, Saved], places: Iterable[Path], kept: Path, root: Path
) -> list[str]:
    """Make files what they were; what stood there is copied away first.

    Args:
        before: From `saved_files`.
        places: Where to look; may hold more than there was before.
        kept: Folder for the copies.
        root: What the names that are returned are relative to.

    Returns:
        The names of those that had changed, with ``..`` in them where they lie elsewhere.
    """
    now = saved_files(places)
    wrong = sorted(p for p in {*now, *before} if now.get(p, Saved()) != before.get(p, Saved()))
    names = [os.path.relpath(path, root) for path in wrong]
    try:
        for path, name in zip(wrong, names, strict=True):
            _copy_away(now.get(path, Saved()), kept / name.replace("../", ""))
        for path in reversed(wrong):  # what lies deeper goes first, and nothing behind a link
            if now.get(path, Saved()).mode is not None:
                _remove(path)
        for path in wrong:
            _write(path, before.get(path, Saved()))
    except OSError as error:
        raise RepositoryError(
            f"What a command changed in {str(root)!r} cannot be put back.",
            why=f"{', '.join(names[:5])}: {error}",
            fix=f"Put it back by hand; copies of what the command left are in {kept.name!r} beside "
            "its log.",
        ) from error
    return names


def _below(place: Path) -> list[Path]:
    if place.is_symlink() or not place.is_dir():
        return [place]
    found = []
    for folder, folders, files in os.walk(place):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        found += [Path(folder, name) for name in (*files, *links)]
    return found


def _saved(path: Path) -> Saved:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return Saved(0o777, os.fsencode(path.readlink()), is_link=True)
        if stat.S_ISREG(mode):
            return Saved(stat.S_IMODE(mode), path.read_bytes())
        return Saved(stat.S_IMODE(mode), b"(no file)")
    except FileNotFoundError:
        return Saved()
    except OSError as error:
        return Saved(0, os.fsencode(f"({error.strerror})"))


def _copy_away(saved: Saved, target: Path) -> None:
    if saved.mode is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(saved.content)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _write(path: Path, saved: Saved) -> None:
    if saved.mode is None:
        return
    _clear_way(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if saved.is_link:
        path.symlink_to(os.fsdecode(saved.content))
        return
    path.write_bytes(saved.content)
    path.chmod(saved.mode)


def _clear_way(path: Path) -> None:
    """Remove what now stands in the way: a folder, or a link or file where its folder was."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    parent = path.parent
    if parent.is_symlink() or parent.is_file():
        parent.unlink()
