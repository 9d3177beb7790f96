"""What a classic program with a one-line bug consists of."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Program:
    """A correct program, the line that the bug replaces, and inputs."""

    name: str
    """The module's and its main function's."""
    code: str
    """The reference."""
    right: str
    """A part of one line of `code` that occurs there once."""
    wrong: str
    """What stands there instead; empty where the whole line is missing."""
    calls: tuple[Arguments, ...]
    """Arguments of the tests; the expected results come from the reference."""
    draw: Callable[[Random], Arguments]
    """A random valid input."""

    def buggy(self) -> str:
        """Return the program with the bug."""
        if self.code.count(self.right) != 1:
            raise ValueError(f"{self.name}: {self.right!r} is not there exactly once")
        if self.wrong:
            return self.code.replace(self.right, self.wrong)
        lines = self.code.splitlines(keepends=True)
        return "".join(line for line in lines if self.right not in line)


def numbers(random: Random, low: int, high: int, most: int) -> list[int]:
    """Return a list of at most so many numbers."""
    return [random.randint(low, high) for _ in range(random.randint(0, most))]


def word(random: Random, letters: str, most: int) -> str:
    """Return a text of at most so many letters."""
    return "".join(random.choice(letters) for _ in range(random.randint(0, most)))


def graph(random: Random, *, acyclic: bool = False) -> dict[str, list[str]]:
    """Return node -> neighbours, for up to six nodes."""
    nodes = "abcdef"[: random.randint(1, 6)]
    return {
        node: [
            other
            for place, other in enumerate(nodes)
            if (place > index or not acyclic) and place != index and random.random() < 0.4
        ]
        for index, node in enumerate(nodes)
    }
