"""A victim that several tests spoil by themselves, each through another state."""

from pathlib import Path

from measured_projects import measured
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.warm import WarmPool
from target_projects import make_project

SUITE = {
    "shop.py": "OPEN = []\nSOLD = []\nPLENTY = []\n",
    "test_a.py": """
        import shop

        def test_opens(): shop.OPEN.append(1)
        def test_sells(): shop.SOLD.append(1)
        def test_opens_too(): shop.OPEN.append(2)
        def test_plenty(): shop.PLENTY.append(1)
        def test_victim(): assert not shop.OPEN and not shop.SOLD
    """,
}


def test_the_state_of_every_polluter_is_named_not_only_that_of_the_first(tmp_path: Path) -> None:
    shop = measured(make_project(tmp_path, SUITE))
    bench = shop.lab().bench
    with WarmPool(shop.runner, bench.project, bench.logs, bench.reset) as warm:
        finding = shop.diagnosed("test_victim", Lab(bench, shop.measured, warm=warm))

    assert {change.target for change in finding.state} == {"shop.OPEN", "shop.SOLD"}
    polluters = {name.partition("::")[2] for name in finding.all_polluters}
    assert polluters == {"test_opens", "test_sells", "test_opens_too"}
    assert finding.summary.count("changed from [] to [") == 2
