"""Gate all commits together, in one tree, against the baseline; write verdict and receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen.nodes.baseline import measure_base
from regreen.nodes.site import Agent, Site, as_measured
from regreen.state import SprintState
from regreen.store import receipts
from regreen.store.clockwork import utc_now
from regreen.store.record import Baseline
from regreen_agents.domain.changes import Change
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.plans import Refusal, refusal_of
from regreen_agents.domain.progress import Stage
from regreen_agents.domain.runs import RunSpec, SuiteRun
from regreen_agents.domain.verdicts import Verdict
from regreen_agents.gate import Built, Track, judge
from regreen_agents.lab.measure import Measuring, further_runs, in_order, isolated_run
from regreen_agents.workspace.commits import ancestors, cherry_pick, diff_of, keep_ref

INTEGRATION = "integration"
BASE = "gate-base"
NOTHING = "none"


def gate(state: SprintState, site: Site) -> SprintState:
    """Judge the train; the number of the verdict is the round, so repeating one replaces it."""
    drop_twins(site)
    excluded = set(state.get("excluded", []))
    train = [c for c in site.folder.changes() if c.plan not in excluded]
    number = state.get("gate_round", 0) + 1
    if not train:
        return {"verdict": NOTHING, "gate_round": number}
    with site.agent("gate", Stage.GATE) as agent:
        verdict = _judged(state["base"], train, number, agent)
        _keep(site, number, verdict)
        agent.result = f"{verdict.kind.value}: {verdict.reason}"
    return {"verdict": verdict.kind.value, "gate_round": number}


def drop_twins(site: Site) -> None:
    """A change whose diff another plan already has is that plan's: one commit, more tests."""
    seen: dict[str, Change] = {}
    for change in site.folder.changes():
        diff = "".join(diff_of(site.repository.root, commit) for commit in change.commits)
        first = seen.setdefault(diff, change)
        if first is change:
            continue
        fixed = tuple(sorted({*first.fixed, *change.fixed}))
        seen[diff] = first.model_copy(update={"fixed": fixed})
        site.folder.save_change(seen[diff])
        site.folder.save_refusal(_covered(site, change, first))
        site.folder.remove_change(change.plan)


def _covered(site: Site, change: Change, first: Change) -> Refusal:
    plan = next(p.plan for p in site.folder.plans() if p.plan.id == change.plan)
    return refusal_of(
        plan,
        f"Already present: the very same edit is {first.plan}'s; nothing is left to commit.",
        (f"The commit of {first.plan}, which fixes these tests too.",),
    )


def _judged(base: str, train: Sequence[Change], number: int, agent: Agent) -> Verdict:
    site = agent.site
    reference = _reference(site, base, number)
    with site.tree(BASE, base) as base_tree, site.tree(INTEGRATION, base) as tree:
        rounds = _Rounds(agent, tree, base, number, reference)
        track = Track(
            base=base,
            measured=as_measured(reference),
            build=rounds.build,
            measure=rounds.measure,
            rerun=rounds.rerun,
            base_lab=agent.lab(base_tree, BASE, as_measured(reference)),
            store=rounds.store,
            note=agent.note,
            known_flaky=frozenset(NodeId(name) for name in site.config.known_flaky),
            pass_rate_floor=site.config.pass_rate_floor,
        )
        return judge(train, track)


def _reference(site: Site, base: str, number: int) -> Baseline:
    """Return the baseline of the base: the sprint's own, if it was measured here and still holds.

    What a tape tells of the base is good for plans, and not for a verdict.
    """
    own = site.folder.load_baseline()
    if own.commit == base and not site.info.options.replay:
        return own
    return measure_base(site, base, f"baseline-{number}")


@dataclass
class _Rounds:
    """The integration worktree: builds trains in it and runs the suite there."""

    agent: Agent
    tree: Path
    base: str
    number: int
    reference: Baseline
    measurements: int = 0

    def build(self, train: Sequence[Change]) -> Built:
        """Put the commits onto the base, in the order of their plans."""
        site = self.agent.site
        site.worktrees.reset(INTEGRATION, self.base)
        head = self.base
        commits: list[str] = []
        for change in train:
            picked: str | None = head
            for commit in change.commits:
                picked = cherry_pick(self.tree, commit, date=site.info.started_at)
                if picked is None:
                    return Built(head, site.repository.tree_of(head), tuple(commits), change.plan)
            commits.append(picked or head)
            head = commits[-1]
        keep_ref(site.repository, f"{site.info.id}/train-{self.number}", head)
        return Built(head, site.repository.tree_of(head), tuple(commits), None)

    def measure(self) -> tuple[tuple[SuiteRun, ...], SuiteRun | None]:
        """Run the suite as the baseline was run: same orders, same seeds, each test alone."""
        self.measurements += 1
        where = self._where(f"measure-{self.measurements}")
        first = self.reference.runs[0]
        where.note("run 1: file order")
        where.reset()
        again = where.runner.run(where.project, RunSpec(), where.logs / "run-1.log")
        options = self.agent.site.info.options
        more = further_runs(where, first, options.runs, self.agent.site.info.seed)
        wanted = self.reference.isolated is not None
        alone = isolated_run(where, again, watch=False) if wanted else None
        return (again, *more), alone

    def rerun(self, spec: RunSpec) -> SuiteRun:
        """Run the suite once more in one of these orders."""
        where = self._where("rerun")
        where.reset()
        asked = in_order(spec, self.reference.runs[0]) if spec.tests is None else spec
        return where.runner.run(where.project, asked, where.logs / "rerun.log")

    def store(self, runs: Sequence[SuiteRun]) -> tuple[str, ...]:
        """Keep the runs a verdict rests on."""
        site = self.agent.site
        return tuple(
            site.folder.save_run(f"gate-{self.number}-{index}", site.relative(run))
            for index, run in enumerate(runs, start=1)
        )

    def _where(self, name: str) -> Measuring:
        return self.agent.measuring(self.tree, INTEGRATION, f"runs/gate-{self.number}/{name}")


def _point_at_train(site: Site, verdict: Verdict) -> None:
    """From here on the train's commits are the plans': what is shown is what is merged."""
    tested = dict(zip(verdict.train, verdict.commits, strict=True))
    for change in site.folder.changes():
        commit = tested.get(change.plan)
        if commit is not None and commit != change.commit:
            tree = site.repository.tree_of(commit)
            earlier = ancestors(site.repository.root, commit, len(change.earlier))
            moved = {"commit": commit, "tree": tree, "earlier": earlier}
            site.folder.save_change(change.model_copy(update=moved))


def _keep(site: Site, number: int, verdict: Verdict) -> None:
    site.folder.save_verdict(number, verdict)
    _point_at_train(site, verdict)
    if verdict.run_files and site.info.host is not None:
        runs = [(site.folder.load_run(name), site.folder.path(name)) for name in verdict.run_files]
        receipt = receipts.build_receipt(
            verdict, runs, root=site.folder.root, host=site.info.host, made_at=utc_now()
        )
        receipts.save(site.folder, number, receipt)
