"""Does a repair hold? Target tests where they failed, then their files, then who shares state."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from regreen_agents.domain.findings import Cause, Evidence, Finding, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec, SuiteRun
from regreen_agents.lab.chance import ALONE, HASH_SEEDS, INNOCENCE_SEEDS
from regreen_agents.lab.lab import Lab, evidence_of
from regreen_agents.lab.validation_values import PROOF_SEEDS, other_settings, repeats_needed
from regreen_agents.runners.pytest_runner import files_of

SHORT_SUITE_SECONDS = 20.0
"""A longer suite is left to the gate."""
KEPT_RUNS = 10
"""Left for the steps after the repeated runs."""
MAX_ALONE = 5
"""Victims run one by one; a larger cluster is run together afterwards."""
MAX_SUSPECTS = 3
"""Other tests whose own chance is examined before a repair is blamed for them."""
TAKEN = re.compile(r"Address already in use|Errno (?:98|48)\b|WinError 10048")
"""What a test says that finds its port taken, perhaps by a run in another worktree."""
TIMES_AGAIN = 2


@dataclass
class Validation:
    """What was run, and what did not hold."""

    evidence: list[Evidence] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Trial:
    finding: Finding
    lab: Lab
    known_red: frozenset[NodeId]
    """Red or flaky in the baseline and no victim here: no news."""
    result: Validation
    base: Lab | None = None
    """A laboratory without the edits."""
    flaky: dict[NodeId, int] = field(default_factory=dict)
    """Other tests -> how many of the seeds show them red without the edits."""

    def run(self, question: str, tests: Sequence[NodeId] | None, spec: RunSpec) -> bool:
        """Run, keep the evidence, and judge every test of the run."""
        order = OrderKind.FILE if tests is None else OrderKind.GIVEN
        asked = spec.model_copy(
            update={"order": order, "tests": None if tests is None else tuple(tests)}
        )
        self.lab.bench.note(question)
        return self.judge(question, self.lab.run(asked))

    def judge(self, question: str, run: SuiteRun) -> bool:
        """Add the run to the evidence and its news to the problems."""
        red = sorted({r.node_id for r in run.red()} - self.known_red)
        excused = self._are_innocent(red) or self._pass_again(run, red)
        broken = [] if excused else red
        lost = run.foreign_modules
        about = NodeId(broken[0]) if broken else self.finding.victims[0]
        verdict = _holds(run) if not broken else f"Red: {', '.join(broken[:5])}."
        self.result.evidence.append(evidence_of(question, run, about, verdict))
        if broken:
            self.result.problems.append(f"{question} {len(broken)} red: {', '.join(broken[:3])}")
        if lost:
            self.result.problems.append(
                f"the worktree did not import its own code: {', '.join(lost[:3])}"
            )
        return not broken and not lost

    def _are_innocent(self, red: Sequence[NodeId]) -> bool:
        """Whether all these are red by chance without the edits, too, each run alone there."""
        others = [name for name in red if name not in self.finding.victims]
        if self.base is None or len(others) != len(red) or len(others) > MAX_SUSPECTS:
            return False
        for name in others:
            if name not in self.flaky:
                self.base.runs_made = self.lab.runs_made
                series = self.base.random_series(name, INNOCENCE_SEEDS, ALONE)
                self.lab.runs_made = self.base.runs_made
                self.flaky[name] = sum(series.values())
        return all(self.flaky[name] for name in others)

    def _pass_again(self, run: SuiteRun, red: Sequence[NodeId]) -> bool:
        """Whether the very same run, made again, shows none of these: the machine's trouble.

        Tests that share a port or a folder of the machine meet those of other worktrees. A victim
        counts only where its failure says so.
        """
        victims = set(self.finding.victims)
        doubtful = {r.node_id for r in run.red() if r.failure and TAKEN.search(r.failure.message)}
        if not red or len(red) > MAX_SUSPECTS or set(red) & victims - doubtful:
            return False
        for _ in range(TIMES_AGAIN):
            self.lab.bench.note(f"{red[0]} is red: is it when the same is run again?")
            if not {r.node_id for r in self.lab.run(run.spec).red()} & set(red):
                return True
        return False


def _holds(run: SuiteRun) -> str:
    red = len(run.red())
    return f"It holds; {red} red before and no part of this." if red else "It holds."


def validate(
    finding: Finding,
    lab: Lab,
    signatures: Sequence[TestSignature],
    edited: Sequence[str],
    base: Lab | None = None,
) -> Validation:
    """Run the narrowest proof first and stop at the first that does not hold.

    Args:
        finding: What the repair is for.
        lab: Runs with the edits.
        signatures: The baseline's: what was red there is no news.
        edited: The paths of the edits.
        base: Runs without the edits: a test that is red there by chance is no news either.
    """
    known = {s.node_id for s in signatures if s.is_red_unchanged} - set(finding.victims)
    trial = _Trial(finding, lab, frozenset(known), Validation(), base)
    steps = (_where_it_failed, _whatever_the_seed, _in_other_settings, _again_and_again)
    for step in (*steps, _in_their_files, _with_those_who_share, _in_the_whole_suite):
        if not step(trial, edited):
            break
    return trial.result


def setting_of(finding: Finding) -> RunSpec | None:
    """Return the run that shows the victims red, where that takes more than the suite as it is.

    Such are a factor of the surroundings, a second run in a row, and a random seed.
    """
    if finding.repeats == 1 and not finding.factors and finding.random_seed is None:
        return None
    return _as_it_failed(finding).model_copy(update={"tests": finding.victims})


def _as_it_failed(finding: Finding) -> RunSpec:
    return ALONE.model_copy(
        update={
            "hash_seed": finding.hash_seed,
            "factors": finding.factors,
            "repeats": finding.repeats,
            "random_seed": finding.random_seed,
        }
    )


def _where_it_failed(trial: _Trial, _edited: Sequence[str]) -> bool:
    """Each victim in the order and under the hash seed that showed the failure, and alone."""
    finding = trial.finding
    spec = _as_it_failed(finding)
    held = True
    if finding.polluters:
        order = tuple(dict.fromkeys((*finding.polluters, *finding.victims)))
        held = trial.run("Do they pass after the polluters?", order, spec)
    alone = finding.victims[:MAX_ALONE]
    for victim in alone:
        held = held and trial.run("Does it pass alone?", [victim], spec)
    if len(finding.victims) > len(alone):
        held = held and trial.run("Do all of the cluster pass?", finding.victims, spec)
    return held


def _whatever_the_seed(trial: _Trial, _edited: Sequence[str]) -> bool:
    """Where chance was the cause: every seed that was tried before, all green now."""
    finding, lab = trial.finding, trial.lab
    if finding.cause is Cause.UNSEEDED_RANDOMNESS:
        for victim in finding.victims:
            series = lab.random_series(victim, PROOF_SEEDS, ALONE)
            red = [seed for seed, failed in series.items() if failed]
            if red:
                trial.result.problems.append(f"{victim} still fails for random seeds {red}")
        return not trial.result.problems
    if finding.cause is Cause.UNORDERED_ITERATION:
        return all(
            trial.run(
                f"Do they pass under PYTHONHASHSEED={seed}?",
                finding.victims,
                ALONE.model_copy(update={"hash_seed": seed}),
            )
            for seed in dict.fromkeys([finding.hash_seed, *HASH_SEEDS[:4]])
        )
    return True


def _in_other_settings(trial: _Trial, _edited: Sequence[str]) -> bool:
    """Where the surroundings decided: other zones, locales and listing orders, too."""
    return all(
        trial.run(
            f"Do they pass with {factor}?",
            trial.finding.victims,
            ALONE.model_copy(update={"factors": (factor,)}),
        )
        for factor in other_settings(trial.finding)
    )


def _again_and_again(trial: _Trial, _edited: Sequence[str]) -> bool:
    """Where it varied by itself: so many green runs that the old rate is out of the question."""
    finding = trial.finding
    spec = ALONE.model_copy(update={"factors": finding.factors, "tests": finding.victims})
    repeats = min(repeats_needed(finding), trial.lab.runs_left - KEPT_RUNS)
    for number in range(1, repeats + 1):
        run = trial.lab.run(spec)
        if run.red() or number == repeats:
            return trial.judge(f"Do they pass again and again? {repeats} runs.", run)
    return True


def _in_their_files(trial: _Trial, _edited: Sequence[str]) -> bool:
    """The whole files of the victims, in file order."""
    files = files_of(trial.finding.victims)
    return trial.run("Do their files pass?", _tests_in(trial, files), ALONE)


def _with_those_who_share(trial: _Trial, edited: Sequence[str]) -> bool:
    """Polluters, setters and edited test files together with the victims, in both orders."""
    finding = trial.finding
    sharing = (*finding.all_polluters, *finding.polluters, *finding.state_setters)
    involved = dict.fromkeys([*files_of(sharing), *edited, *files_of(finding.victims)])
    files = [file for file in involved if _tests_in(trial, [file])]
    if set(files) <= set(files_of(finding.victims)):
        return True
    tests = _tests_in(trial, files)
    question = "Do the tests that share state pass together"
    if not trial.run(f"{question}?", tests, ALONE):
        return False
    backwards = [t for file in reversed(files) for t in _tests_in(trial, [file])]
    return trial.run(f"{question}, files reversed?", backwards, ALONE)


def _in_the_whole_suite(trial: _Trial, _edited: Sequence[str]) -> bool:
    """Once in a full order in which a victim was red, where that takes no more than seconds."""
    red = set(trial.finding.victims)
    seen = [r for r in trial.lab.measured.runs if any(f.node_id in red for f in r.red())]
    run = (seen or list(trial.lab.measured.runs))[0]
    if run.duration_seconds > SHORT_SUITE_SECONDS:
        return True
    tests = tuple(r.node_id for r in run.results if "::" in r.node_id)
    return trial.run("Does the whole suite hold in an order that failed?", tests, run.spec)


def _tests_in(trial: _Trial, files: Sequence[str]) -> tuple[NodeId, ...]:
    """Return the tests of these files in the order of the baseline's file-order run."""
    first = trial.lab.measured.runs[0]
    wanted = set(files)
    return tuple(
        r.node_id
        for r in first.results
        if "::" in r.node_id and r.node_id.partition("::")[0] in wanted
    )
