"""One cluster under examination: its victim, the settings in which it was seen, the evidence."""

from dataclasses import dataclass, field

from regreen_agents.domain.findings import (
    Category,
    Cause,
    Cluster,
    Finding,
    FlakeRate,
    SourceLocation,
    TestSignature,
)
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import FailureDetail, OrderKind, Outcome, RunSpec, SuiteRun
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.lab import Lab, Notebook, is_red
from regreen_agents.lab.signatures import dependent_on, is_test_path, tree_frames


@dataclass(frozen=True)
class Setting:
    """A run in which the victim was seen, with what came before it."""

    run: SuiteRun
    index: int
    prefix: tuple[NodeId, ...]

    @property
    def spec(self) -> RunSpec:
        """A run with the same hash seed and process seed; order and tests are to be filled in."""
        spec = self.run.spec
        return RunSpec(order=OrderKind.GIVEN, hash_seed=spec.hash_seed, seed=spec.seed)


@dataclass
class Inquiry:
    """What the steps of a diagnosis share."""

    cluster: Cluster
    lab: Lab
    notebook: Notebook
    victim: NodeId
    signature: TestSignature
    alone_red: bool = False
    """How it ended alone under hash seed 0; set by the first step."""
    varies: bool = False
    """Whether it was seen to end both ways in one and the same setting: then no comparison of two
    settings shows anything by a run of each."""
    seeded_red: tuple[int, ...] = ()
    """Random seeds under which it was red alone, once they were tried."""
    facts: set[Fact] = field(default_factory=set)
    """What the experiments have shown so far, for the decision table."""

    @property
    def members(self) -> tuple[NodeId, ...]:
        """All tests of the cluster."""
        return tuple(m.node_id for m in self.cluster.members)

    def settings(self, *, red: bool) -> list[Setting]:
        """Return the full runs in which the victim was red, or was not, shortest prefix first."""
        found = []
        for index, run in enumerate(self.lab.measured.runs):
            outcome = run.outcome_of(self.victim)
            if outcome in (None, Outcome.NOT_RUN) or is_red(outcome) != red:
                continue
            found.append(Setting(run, index, self.lab.measured.before(self.victim, run)))
        return sorted(found, key=lambda s: (len(s.prefix), s.index))

    def sweep(self) -> SuiteRun | None:
        """Return the sweep that showed it red, where no run without a changed setting did."""
        index = dependent_on(self.signature)
        sweeps = self.lab.measured.sweeps
        return sweeps[index] if index is not None and index < len(sweeps) else None

    def is_constant(self) -> bool:
        """Whether it was red alone and in every run that reached it."""
        return self.alone_red and not self.settings(red=False)

    def failure(self) -> FailureDetail | None:
        """Return the failure first seen in the baseline."""
        return self.signature.failure

    def locations(self) -> tuple[SourceLocation, ...]:
        """Return the failure's frames inside the project, code under test and innermost first."""
        failure = self.failure()
        frames = [] if failure is None else list(reversed(tree_frames(failure)))
        frames.sort(key=lambda frame: is_test_path(frame.path))
        places = (SourceLocation(path=f.path, line=f.line, text=f.function) for f in frames)
        return tuple(dict.fromkeys(places))

    def finding(self, category: Category, cause: Cause, summary: str, **more: object) -> Finding:
        """Conclude."""
        fields: dict[str, object] = {
            "victims": self.members,
            "locations": self.locations(),
            "flake_rate": self.signature.flake_rate,
            **more,
        }
        return Finding.model_validate(
            {
                "cluster": self.cluster.id,
                "category": category,
                "cause": cause,
                "summary": summary,
                "evidence": tuple(self.notebook.pages),
                **fields,
            }
        )


def open_inquiry(cluster: Cluster, lab: Lab) -> Inquiry:
    """Begin with the member that is cheapest to replay: fewest tests before it where it failed."""

    def cost(member: TestSignature) -> tuple[int, str]:
        red = [
            len(lab.measured.before(member.node_id, run))
            for run in lab.measured.runs
            if is_red(run.outcome_of(member.node_id))
        ]
        return (min(red, default=0), member.node_id)

    chosen = min(cluster.members, key=cost)
    return Inquiry(cluster, lab, Notebook(lab), chosen.node_id, chosen)


def rate_text(rate: FlakeRate | None) -> str:
    """Return a flake rate for a sentence."""
    return "not measured" if rate is None else str(rate)
