"""The whole exception tree.

A failure that a person can act on is a RegreenError: *what* happened, *why*, and the *fix*.
Everything else is a bug of ours and keeps its traceback. A red test is a value, never an exception.

    RegreenError                 exit 1
    |- UsageError                exit 2   a wrong argument, an unknown sprint, plan or commit
    |- ConfigError               exit 2   [tool.regreen] does not validate
    |- RepositoryError           exit 3   the repository is not in a state a sprint can start from
    |  `- MergeError             exit 3   the target branch cannot take the tested tree
    |- TargetError               exit 4   interpreter, pytest or suite of the target do not work
    |- RunnerError               exit 4   the target's suite gave no usable answer
    |  `- WarmUnavailableError   exit 4   forks of one collected process would not be sound
    |- DocumentError             exit 5   a plan document does not validate; names file and line
    |- StoreError                exit 6   a stored file is missing, damaged or of an unknown version
    |- BusyError                 exit 7   another regreen works on this repository
    |- ModelError                exit 8   a language model gives no usable answer
    |  |- AccountError           exit 8   key, credit or permission: no later call can succeed
    |  |- BudgetError            exit 8   a call may cost more than the budget has left
    |  `- ContextOverflowError   exit 8   the conversation is too long for the model
    |- TapeError                 exit 9   a tape cannot be read, or another sprint asks it
    `- StoppedError              exit 130 the person, or a signal, asked to stop
"""

from typing import ClassVar, Self


class RegreenError(Exception):
    """A failure the user can act on.

    Args:
        what: One sentence: what happened.
        why: The fact behind it.
        fix: What the person can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        """Keep the three texts; see the class."""
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling with keyword-only arguments."""
        return (_rebuild, (type(self), self.what, self.why, self.fix))

    def __str__(self) -> str:
        parts = [self.what]
        if self.why:
            parts.append(f"why: {self.why}")
        if self.fix:
            parts.append(f"fix: {self.fix}")
        return "\n".join(parts)

    @classmethod
    def make(cls, what: str, why: str, fix: str) -> Self:
        """Build one from positional texts (used when unpickling)."""
        return cls(what, why=why, fix=fix)


def _rebuild(kind: type[RegreenError], what: str, why: str, fix: str) -> RegreenError:
    return kind.make(what, why, fix)


class UsageError(RegreenError):
    """An argument or a name the person typed does not fit."""

    exit_code = 2


class ConfigError(RegreenError):
    """The configuration does not validate."""

    exit_code = 2


class RepositoryError(RegreenError):
    """The repository is not in a state this operation can start from."""

    exit_code = 3


class MergeError(RepositoryError):
    """The target branch cannot take the tested tree."""


class TargetError(RegreenError):
    """The target's interpreter, pytest or suite does not work."""

    exit_code = 4


class RunnerError(RegreenError):
    """A run of the target's code gave no usable answer."""

    exit_code = 4


class WarmUnavailableError(RunnerError):
    """Forks of one collected process would not be sound here; a cold run is."""


class DocumentError(RegreenError):
    """A plan document does not validate."""

    exit_code = 5


class StoreError(RegreenError):
    """A file of a sprint is missing, damaged or of an unknown version."""

    exit_code = 6


class BusyError(RegreenError):
    """Another regreen process works on this repository."""

    exit_code = 7


class ModelError(RegreenError):
    """A language model gives no usable answer."""

    exit_code = 8


class AccountError(ModelError):
    """Key, credit or permission: no further call of this sprint can succeed."""


class BudgetError(ModelError):
    """A call may cost more than the budget has left; it was not sent."""


class ContextOverflowError(ModelError):
    """The conversation is longer than the model or its server takes; a shorter one may go."""


class TapeError(RegreenError):
    """A tape cannot be read, or the sprint that replays it asks something else."""

    exit_code = 9


class StoppedError(RegreenError):
    """The person, or a signal, asked to stop; nothing is lost."""

    exit_code = 130
