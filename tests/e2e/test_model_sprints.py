"""Whole sprints with ``--engine claude``, as a person starts them, against the fake server."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from model_clinic import SCENARIOS, SICK_SHOP
from regreen_agents.llm.fake import FakeServer, read_scenario
from sick_projects import IGNORED, PYPROJECT, Finished, Patient, patient

KEY = "sk-planted-in-a-sprint-0123456789"
SHOP = {
    "pyproject.toml": PYPROJECT,
    ".gitignore": IGNORED,
    **{path: text for path, text in SICK_SHOP.items() if path.endswith(".py")},
}
POST = '''"""What sending costs."""


def postage(kilograms):
    """Up to two kilograms, two included, are small."""
    return 5 if kilograms < 2 else 9
'''
TEST_POST = """from shop.post import postage


def test_two_kilograms_are_small():
    assert postage(2) == 5
"""
TWO_BUGS = SHOP | {"shop/post.py": POST, "tests/test_post.py": TEST_POST}
CLAUDE = ("--engine", "claude", "--runs", "1")


def sick(folder: Path, server: FakeServer, files: Mapping[str, str] = SHOP) -> Patient:
    """Return a shop, with a key and the fake server in the environment of every command."""
    shop = patient(folder, files)
    return replace(
        shop, env={**shop.env, "ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
    )


def played(folder: Path, name: str, *options: str) -> tuple[Patient, Finished, FakeServer]:
    """Sprint on the shop while a scenario is played, approving what is recommended."""
    with FakeServer(read_scenario(SCENARIOS / name)) as server:
        shop = sick(folder, server)
        done = shop.regreen("sprint", *CLAUDE, *options)
        return shop, done, server


def test_two_clusters_are_repaired_by_models_at_once_gated_and_merged(tmp_path: Path) -> None:
    with FakeServer(read_scenario(SCENARIOS / "two_clusters.yaml")) as server:
        shop = sick(tmp_path, server, TWO_BUGS)
        begun = shop.regreen("sprint", *CLAUDE, "--yes-plans")
        gated = shop.status()
        merged = shop.regreen("commit", "approve", "--all")
        accounting = server.accounting()

    assert begun.code == 0, begun
    assert merged.code == 0, merged
    for plan in ("PR1", "PR2"):
        assert "\nengine: claude\n" in (shop.sprint / "plans" / f"{plan}.md").read_text()
    assert gated["waiting_for"] == "commits"
    assert "sum(prices) - discount" in (shop.path / "shop" / "cart.py").read_text()
    assert "kilograms <= 2" in (shop.path / "shop" / "post.py").read_text()
    assert accounting.unmatched == accounting.unplayed == ()
    assert len(accounting.totals.conversations) == 3
    assert accounting.totals.cache_read_share is not None
    assert accounting.totals.cache_read_share >= 0.8
    assert not _files_with(KEY, shop.path)
    assert KEY not in begun.out + begun.err + merged.out + merged.err


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unauthorized.yaml", "The key is not valid."),
        ("retry_after_3600.yaml", "It asks us to wait 3,600 s"),
    ],
)
def test_a_sprint_whose_model_gives_nothing_ends_with_its_reason(
    tmp_path: Path, name: str, why: str
) -> None:
    shop, done, server = played(tmp_path, name, "--yes-plans")

    assert done.code == 0, done
    assert "Traceback" not in done.out + done.err
    shown = shop.does("status") + shop.does("report")
    assert why in shown
    assert server.accounting().unmatched == ()
    assert not _files_with(KEY, shop.path)


def test_without_a_key_nothing_begins(tmp_path: Path) -> None:
    shop = patient(tmp_path, SHOP)

    done = shop.regreen("sprint", *CLAUDE)

    assert done.code == 2, done
    assert "There is no key for the model." in done.err
    assert not shop.shelf.exists() or not list(shop.shelf.iterdir())


def test_a_recorded_sprint_is_replayed_offline(tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    first, done, server = played(tmp_path / "first", "repair.yaml", "--record", str(tape))
    second = patient(tmp_path / "second", SHOP)

    replayed = second.regreen("sprint", *CLAUDE, "--replay", str(tape))

    assert done.code == 0, done
    assert replayed.code == 0, replayed
    assert len(server.requests()) == 3
    documents = [(one.sprint / "plans" / "PR1.md").read_text() for one in (first, second)]
    assert documents[0] == documents[1]
    assert KEY not in tape.read_text()
    assert str(tmp_path) not in tape.read_text()
    assert json.loads(tape.read_text().splitlines()[0])["kind"] == "header"


def _files_with(text: str, folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if text.encode() in path.read_bytes()]
