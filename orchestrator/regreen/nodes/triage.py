"""Sort the failures: a signature per test, clusters, and what is new since the last baseline."""

from regreen.nodes.site import Agent, Site
from regreen.reports.clusters import cluster_mapping, failures_json
from regreen.reports.markdown import counted
from regreen.state import SprintState
from regreen.store import baselines
from regreen.store.record import Triage
from regreen_agents.domain.findings import Cluster, Standing, TestSignature
from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.domain.progress import Stage
from regreen_agents.lab.clusters import clusters_of
from regreen_agents.lab.signatures import dependent_on, signatures_of
from regreen_agents.llm.taped import taped
from regreen_agents.repair.stale_marks import disabled, stale_clusters

HEALTHY = (Standing.STABLE_PASS, Standing.STABLE_SKIP)


class StaleMarks(Model):
    """Clusters of tests whose marks have lost their reason."""

    clusters: tuple[Cluster, ...]


def triage(_state: SprintState, site: Site) -> SprintState:
    """Write triage.json, failures.json and cluster_mapping.md; name the clusters."""
    with site.agent("triage", Stage.TRIAGE) as agent:
        measured = site.folder.load_baseline()
        signatures = signatures_of(measured.runs, measured.isolated, measured.sweeps)
        previous = baselines.load_previous(site.shelf_root)
        known = None if previous is None else _redness(previous, signatures)
        sweeps = [sweep.spec for sweep in measured.sweeps]
        clusters, cleared = clusters_of(signatures, previous=known, sweeps=sweeps)
        clusters += _stale(agent, signatures, len(clusters) + 1)
        result = Triage(signatures=novel(signatures, clusters), clusters=clusters, cleared=cleared)
        site.folder.save_triage(result)
        site.folder.write_text("failures.json", failures_json(site.folder.record()))
        mapping = cluster_mapping(result, measured)
        site.folder.write_text("cluster_mapping.md", mapping)
        sick = [s for s in signatures if s.standing not in HEALTHY]
        agent.result = (
            f"{counted(len(clusters), 'cluster')} of {counted(len(sick), 'test')}: "
            f"{_in_words(sick)}"
        )
    return {"clusters": [cluster.id for cluster in clusters]}


def _stale(
    agent: Agent, signatures: tuple[TestSignature, ...], first_number: int
) -> tuple[Cluster, ...]:
    """Return the clusters of tests disabled for a reason that is gone; they come last."""
    site = agent.site
    if not disabled(signatures) or not site.load_policy().suite.is_pytest:
        return ()

    def measure() -> StaleMarks:
        with site.tree("triage", site.info.base) as tree:
            lab = agent.lab(tree, "triage", site.measured())
            return StaleMarks(clusters=stale_clusters(signatures, lab, first_number))

    return taped(site.lab_log, "stale marks", StaleMarks, measure).clusters


def _in_words(sick: list[TestSignature]) -> str:
    dependent = sum(1 for s in sick if dependent_on(s) is not None)
    flaky = sum(1 for s in sick if s.standing is Standing.FLAKY) - dependent
    words = f"{len(sick) - flaky - dependent} fail always, {flaky} flake"
    return f"{words}, {dependent} only in a changed setting" if dependent else words


def _redness(
    previous: baselines.RecordedBaseline, signatures: tuple[TestSignature, ...]
) -> dict[NodeId, bool]:
    red = set(previous.red)
    return {name: name in red for name in {*(s.node_id for s in signatures), *red}}


def novel(
    signatures: tuple[TestSignature, ...], clusters: tuple[Cluster, ...]
) -> tuple[TestSignature, ...]:
    """Return the signatures with the novelty their clusters found."""
    found = {member.node_id: member for cluster in clusters for member in cluster.members}
    return tuple(found.get(s.node_id, s) for s in signatures)
