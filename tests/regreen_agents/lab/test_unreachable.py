"""A host that cannot be found is no bug; a refused connection may be one."""

from pathlib import Path

from measured_projects import measured
from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.lab.unreachable import asks_the_network
from target_projects import make_project

ASKS = """
    import socket
    import urllib.request

    def test_of_nowhere():
        urllib.request.urlopen("http://nowhere.invalid/rates", timeout=5)

    def test_refused():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5)

    def test_now_and_then(tmp_path_factory):
        raise AssertionError("no network in this one")
"""


def found(tmp_path: Path, name: str) -> Finding | None:
    project = make_project(tmp_path, {"tests/test_a.py": ASKS})
    return asks_the_network(measured(project).inquiry(name, alone_red=True))


def test_a_host_that_cannot_be_found_is_the_networks(tmp_path: Path) -> None:
    finding = found(tmp_path, "of_nowhere")

    assert finding is not None
    assert (finding.category, finding.cause) == (Category.INFRASTRUCTURE, Cause.NETWORK)
    assert "was not shown" in finding.summary


def test_a_refused_connection_and_a_plain_failure_are_not(tmp_path: Path) -> None:
    assert found(tmp_path / "a", "refused") is None
    assert found(tmp_path / "b", "now_and_then") is None
