"""A model's options as those of a plan: its exact edits checked against the tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Finding
from regreen_agents.domain.plans import LineEdit, PlanOption
from regreen_agents.engines.proposals import PlanProposal, ProposedEdit, ProposedOption
from regreen_agents.llm.draft import Draft, is_crlf
from regreen_agents.llm.paths import Confined, shown_name
from regreen_agents.llm.tools.base import ToolProblemError
from regreen_agents.llm.tools.near_text import near_help
from regreen_agents.repair.honesty import policy_flags
from regreen_agents.repair.means import EDITS, MODEL
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import RECIPES, propose
from regreen_agents.repair.search.line_edits import line_edits
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import out_of_scope

KEYS = "ABCDEF"


def options_of(
    asked: PlanProposal, finding: Finding, project: Path
) -> tuple[tuple[PlanOption, ...], list[str]]:
    """Return the options, and a line for each thing wrong with them.

    Args:
        asked: The proposal.
        finding: What it claims, as recipes see it.
        project: The tree as committed.
    """
    counter = _Counter(finding, asked.scope, project)
    made: list[PlanOption] = []
    problems: list[str] = []
    for number, option in enumerate(asked.options, start=1):
        try:
            made.append(counter.option(option, KEYS[number - 1]))
        except ToolProblemError as problem:
            problems.append(f"- options.{number}: {problem}")
    if asked.recommended > len(asked.options):
        problems.append(f"- recommended: there are {len(asked.options)} options.")
    elif any(o.policy_decision and o.key == KEYS[asked.recommended - 1] for o in made):
        problems.append(
            "- recommended: a policy decision cannot be recommended; recommend another option, or "
            "refuse and name the decision in `needs`."
        )
    return tuple(made), problems


@dataclass(frozen=True)
class _Counter:
    """Where proposed options are handed in and checked."""

    finding: Finding
    scope: tuple[str, ...]
    project: Path

    def option(self, asked: ProposedOption, key: str) -> PlanOption:
        """Return an option as the plan has it.

        Raises:
            ToolProblemError: It cannot be taken; says why.
        """
        recipe = self._recipe(asked)
        edits = self._line_edits(asked)
        return PlanOption(
            key=key,
            title=asked.title,
            recipe=EDITS if edits else (asked.recipe or MODEL),
            pros=asked.pros,
            cons=asked.cons,
            policy_decision=asked.policy_decision
            or (recipe is not None and recipe.policy_decision),
            edits=edits,
        )

    def _recipe(self, asked: ProposedOption) -> Proposal | None:
        """Return what the named recipe would do; None where none is named."""
        if not asked.recipe:
            return None
        name = shown_name(asked.recipe[:60])
        if asked.edits:
            raise ToolProblemError("give `edits` or a `recipe`, not both.")
        if asked.recipe.partition("=")[0] not in {recipe.name for recipe in RECIPES}:
            raise ToolProblemError(f"there is no recipe {name!r}; leave `recipe` empty.")
        proposal = propose(asked.recipe, self.finding, SourceTree(self.project))
        if proposal is None or not proposal.edits:
            told = f"does not apply to this {self.finding.cause.value}; leave `recipe` empty"
            raise ToolProblemError(f"the recipe {name!r} {told}.")
        strays = out_of_scope([edit.path for edit in proposal.edits], self.scope)
        if strays:
            told = f"edits {', '.join(strays)}, outside the scope"
            raise ToolProblemError(f"the recipe {name!r} {told}.")
        return proposal

    def _line_edits(self, asked: ProposedOption) -> tuple[LineEdit, ...]:
        files = replaced(asked.edits, self.project)
        if asked.edits and not files:
            raise ToolProblemError("its edits change nothing.")
        flags = [flag for file in files for flag in policy_flags(file)]
        if flags and not asked.policy_decision:
            told = "; ".join(f"{f.path}:{f.line} {f.rule}: {f.detail}" for f in flags[:5])
            raise ToolProblemError(f"it weakens the suite ({told}): mark it `policy_decision`.")
        return tuple(edit for file in files for edit in line_edits(file))


def replaced(edits: Sequence[ProposedEdit], project: Path) -> tuple[FileEdit, ...]:
    """Return exact replacements as edits of whole files.

    Raises:
        ToolProblemError: A file is not there, or a text does not stand in it exactly once.
    """
    tree = Confined(project)
    named = [(tree.name(edit.path), edit) for edit in edits]
    draft = Draft(tree, tuple(name for name, _ in named))
    for name, edit in named:
        text = draft.present(name)
        lone = "\r" not in text
        crlf = is_crlf(text)
        old = _ends_as(edit.old, crlf=crlf, lone=lone)
        count = text.count(old)
        if count != 1:
            where = "does not stand" if count == 0 else f"stands {count} times"
            told = near_help(old, text) if count == 0 else "Give more of the lines around it."
            raise ToolProblemError(f"`old` {where} in {name!r}: {edit.old[:80]!r}. {told}")
        draft.replace(name, text.replace(old, _ends_as(edit.new, crlf=crlf, lone=lone)))
    return draft.edits()


def _ends_as(text: str, *, crlf: bool, lone: bool) -> str:
    """Return a model's text with the line ends of the file: it was shown none of them."""
    plain = text.replace("\r\n", "\n") if crlf or lone else text
    return plain.replace("\n", "\r\n") if crlf else plain
