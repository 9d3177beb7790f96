"""Writing that a kill cannot tear: whole files are replaced, logs grow by one line at a time."""

import os
import tempfile
from pathlib import Path

from regreen_agents.appending import Torn, append
from regreen_agents.errors import StoreError


def write_atomically(path: Path, content: bytes) -> None:
    """Make `path` hold exactly `content`, or leave it as it was.

    The bytes go to a temporary file in the same folder, are flushed to the disk and then take the
    name in one step. Missing folders are made.

    Raises:
        StoreError: When the folder or the disk takes no file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    except OSError as error:
        raise _unwritable(path, error) from error


def append_line(path: Path, line: str, *, durable: bool = False) -> None:
    r"""Add one line in a single write, so that readers see all of it or none.

    A tail that an earlier kill tore off is cut away first: it was never a whole line. Threads and
    processes may append to one file at the same time.

    Args:
        path: The log; it and its folder are made when missing.
        line: Text without ``\n``.
        durable: Wait until the disk has it, for what a person said.

    Raises:
        StoreError: When the folder or the disk takes no line.
    """
    if "\n" in line:
        raise ValueError(f"one line at a time, not {line!r}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        append(path, line.encode() + b"\n", torn=Torn.CUT, durable=durable, mode=0o644)
    except OSError as error:
        raise _unwritable(path, error) from error


def read_lines(path: Path) -> tuple[str, ...]:
    """Return the whole lines of a log, oldest first; none when there is no file.

    A last line without its end was torn by a kill and does not count.

    Raises:
        StoreError: When the file cannot be read or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise unreadable(path, error) from error
    whole = content[: content.rfind(b"\n") + 1]
    try:
        return tuple(whole.decode().split("\n")[:-1])
    except UnicodeDecodeError as error:
        line = whole[: error.start].count(b"\n") + 1
        raise damaged(path, f"line {line} is not UTF-8", line=line) from error


def unreadable(path: Path, error: OSError) -> StoreError:
    """Return the error for a file the system will not hand out."""
    return StoreError(
        f"{path} cannot be read.",
        why=error.strerror or str(error),
        fix="Check that the file belongs to you and that its folder is mounted.",
    )


def damaged(path: Path, why: str, *, line: int | None = None) -> StoreError:
    """Return the error for a file whose content is not what was written."""
    place = f"{path}:{line}" if line else str(path)
    return StoreError(
        f"{place} is damaged.",
        why=why,
        fix="Restore the file from a copy, or start a new sprint with: regreen sprint",
    )


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written.",
        why=error.strerror or str(error),
        fix="Free space on the disk, or make the .regreen folder writable.",
    )


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
