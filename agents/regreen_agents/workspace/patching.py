"""Reading and editing source files of a worktree, confined to it and byte for byte."""

import glob
import io
import os
import re
import stat
import tokenize
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from regreen_agents.domain.changes import FileEdit
from regreen_agents.errors import RepositoryError

_PYTHON = frozenset({".py", ".pyi", ".pyw"})
_UTF8_BOM = b"\xef\xbb\xbf"


def read_source(path: Path) -> str:
    """Return a file's text with its newlines as they are.

    Python files are decoded by their PEP 263 cookie or byte order mark, others as UTF-8; the
    byte order mark is not part of the text.

    Raises:
        RepositoryError: The file cannot be read, or is not text.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RepositoryError(
            f"{str(path)!r} cannot be read.", why=str(error), fix="Check the path and its rights."
        ) from error
    return decode_source(raw, str(path))


def decode_source(raw: bytes, path: str) -> str:
    """Return the text of a file's bytes, as `read_source` does; the path names it in errors."""
    try:
        return raw.decode(_encoding(raw, path))
    except (SyntaxError, LookupError, UnicodeDecodeError) as error:
        raise RepositoryError(
            f"{path!r} is not text in the encoding it declares.",
            why=str(error),
            fix="Save it as UTF-8, or declare its encoding in the first line (PEP 263).",
        ) from error


def apply_edits(tree: Path, edits: Sequence[FileEdit]) -> tuple[str, ...]:
    """Write new texts into a tree: all of them, or none when one does not fit.

    Encoding, byte order mark, newline style and mode of a file stay as they are. Every file is
    replaced at once, and bytecode of its old text is removed: Python trusts bytecode by size and
    second, and an edit within the same second would not be seen.

    Returns:
        The paths, in the order of the edits.

    Raises:
        RepositoryError: A path leaves the tree, a file is not as the edit found it, or it cannot
            be written.
    """
    # step 1: check everything before anything is written
    repeated = {edit.path for edit in edits if sum(e.path == edit.path for e in edits) > 1}
    if repeated:
        raise _unfit(sorted(repeated)[0], "Two edits of one change name it.")
    writes = [_prepare(tree, edit) for edit in edits]
    # step 2: write
    for write in writes:
        _replace(write)
    paths = tuple(edit.path for edit in edits)
    drop_bytecode(tree, paths)
    return paths


def drop_bytecode(tree: Path, paths: Iterable[str]) -> None:
    """Remove the compiled form of Python files, so that the next import reads their text."""
    for path in paths:
        source = tree / path
        if source.suffix in _PYTHON:
            cache = source.parent / "__pycache__"
            for compiled in cache.glob(f"{glob.escape(source.stem)}.*.pyc"):
                compiled.unlink(missing_ok=True)


def out_of_scope(paths: Iterable[str], scope: Sequence[str]) -> tuple[str, ...]:
    """Return the paths a plan may not touch.

    Args:
        paths: Relative, posix.
        scope: Files, or folders with a trailing ``/``.
    """
    folders = tuple(entry for entry in scope if entry.endswith("/"))
    return tuple(
        path
        for path in paths
        if ".." in PurePosixPath(path).parts
        or not (path in scope or (bool(folders) and path.startswith(folders)))
    )


class _Write(NamedTuple):
    target: Path
    content: bytes | None
    """None for a file that goes."""
    mode: int | None
    """Permission bits to keep; None for a new file."""


def _encoding(raw: bytes, path: str) -> str:
    if PurePosixPath(path).suffix in _PYTHON:
        return tokenize.detect_encoding(io.BytesIO(raw).readline)[0]
    return "utf-8-sig" if raw.startswith(_UTF8_BOM) else "utf-8"


def _prepare(tree: Path, edit: FileEdit) -> _Write:
    """Check one edit against the tree and encode its new text."""
    target = _confined(tree, edit.path)
    if not target.exists():
        if edit.before or edit.deleted:
            raise _unfit(edit.path, "It does not exist.")
        return _Write(target, _encode(edit, edit.after.encode("utf-8", "replace")), None)
    if not target.is_file():
        raise _unfit(edit.path, "It is not a regular file.")
    current = read_source(target)
    if current != edit.before:
        raise _unfit(edit.path, "Its text is not the text the edit was made from.")
    if edit.deleted:
        return _Write(target, None, None)
    return _Write(target, _encode(edit, target.read_bytes()), stat.S_IMODE(target.stat().st_mode))


def _encode(edit: FileEdit, like: bytes) -> bytes:
    """Return the new text as bytes, in the encoding and newline style of other bytes."""
    text = edit.after
    only_crlf = "\r\n" in edit.before and not re.search(r"(?<!\r)\n", edit.before)
    if only_crlf:
        text = re.sub(r"(?<!\r)\n", "\r\n", text)
    try:
        raw = text.encode(_encoding(like, edit.path))
        read_again = raw.decode(_encoding(raw, edit.path))
    except (SyntaxError, LookupError, UnicodeError) as error:
        raise _unfit(edit.path, f"The new text does not fit its encoding: {error}.") from error
    if read_again != text:
        raise _unfit(edit.path, "The new text declares another encoding than the file has.")
    return raw


def _confined(tree: Path, path: str) -> Path:
    """Return where a relative path lies, if that is inside the tree, links and git excluded."""
    parts = PurePosixPath(path).parts
    if not parts or "\0" in path or "\\" in path or Path(path).is_absolute() or ".." in parts:
        raise _unfit(path, "It is not a plain relative path.")
    if parts[0] == ".regreen" or any(part.lower() == ".git" for part in parts):
        raise _unfit(path, "It belongs to git or to regreen.")
    target = tree
    for part in parts:
        target /= part
        if target.is_symlink():
            raise _unfit(path, f"{str(target)!r} is a symbolic link.")
    if any(parent.exists() and not parent.is_dir() for parent in target.parents):
        raise _unfit(path, "A folder on its way is a file.")
    return target


def _replace(write: _Write) -> None:
    draft = write.target.with_name(f".{write.target.name}.regreen-{os.getpid()}")
    try:
        if write.content is None:
            write.target.unlink()
            return
        write.target.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(write.content)
        if write.mode is not None:
            draft.chmod(write.mode)
        draft.replace(write.target)
    except OSError as error:
        raise RepositoryError(
            f"{str(write.target)!r} cannot be written.",
            why=str(error),
            fix="Free space on the disk, or give yourself write access.",
        ) from error


def _unfit(path: str, why: str) -> RepositoryError:
    return RepositoryError(
        f"The edit of {path!r} does not fit the tree.",
        why=why,
        fix="Read the file again and make the edit from its present text, inside the tree.",
    )
