"""The perturbation matrix: which change of a run's surroundings flips which test."""

from typing import Literal

from regreen_agents.domain.flake_rates import FlakeRate
from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.domain.runs import Factor


class Cell(Model):
    """One test under one factor, compared with the same test under control."""

    node_id: NodeId
    factor: Factor
    control: FlakeRate
    """Red runs with nothing changed."""
    changed: FlakeRate
    """Red runs with only this factor changed; of 0 runs where it was not measured."""
    flips: bool
    """Whether this factor alone changes the outcome: shown, and confirmed."""
    p_value: float
    """Fisher's exact test, two-sided, of the two rates; 1 where one was not measured."""
    confirmed_cold: bool = False
    """Whether the flip was seen again with the test alone in a process of its own."""
    note: str = ""
    """What is to be known about this cell, in words."""
    command: str = ""
    """A plain command that shows the flip, without regreen."""


class Untried(Model):
    """A factor that was left out."""

    factor: Factor
    reason: str


class Matrix(Model):
    """What one experiment over some tests and factors told."""

    schema_version: Literal[1] = 1
    tests: int
    """How many were examined."""
    cells: tuple[Cell, ...]
    """Row by row, factors in the order tried; only rows of tests that any run made differ, when
    many tests were examined."""
    varying: tuple[NodeId, ...] = ()
    """Tests whose outcome differs between runs with nothing changed."""
    unmeasured: tuple[NodeId, ...] = ()
    """Tests that no control run could judge: skipped, or never reached."""
    tried: tuple[Factor, ...] = ()
    untried: tuple[Untried, ...] = ()
    control_runs: int = 0
    runs: int = 0
    """All runs, control included."""
    notes: tuple[str, ...] = ()

    def flipped(self, test: NodeId) -> tuple[Cell, ...]:
        """Return the cells of factors that flip a test, the most telling factor first."""
        return tuple(cell for cell in self.cells if cell.node_id == test and cell.flips)

    def with_rows(self, other: "Matrix") -> "Matrix":
        """Return this matrix with the rows of tests that only the other one has."""
        own = {cell.node_id for cell in self.cells}
        added = tuple(cell for cell in other.cells if cell.node_id not in own)
        return self.model_copy(
            update={
                "tests": self.tests + len({cell.node_id for cell in added}),
                "cells": (*self.cells, *added),
                "varying": tuple(dict.fromkeys((*self.varying, *other.varying))),
                "tried": tuple(dict.fromkeys((*self.tried, *other.tried))),
            }
        )

    def rows(self) -> dict[NodeId, tuple[Cell, ...]]:
        """Return test -> its cells, in the order stored."""
        found: dict[NodeId, list[Cell]] = {}
        for cell in self.cells:
            found.setdefault(cell.node_id, []).append(cell)
        return {test: tuple(cells) for test, cells in found.items()}


def with_rows_of(first: Matrix | None, second: Matrix | None) -> Matrix | None:
    """Return what two findings that became one know of their victims."""
    if first is None or second is None:
        return first or second
    return first.with_rows(second)
