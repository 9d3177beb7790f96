"""A whole sprint on a hostile repository, with a model that obeys it and a key to be found.

It breaks no rule, brings nothing raw to a terminal or a page, and writes the key nowhere.
"""

import json
import os
import pty
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from hostile_corpus import (
    HOOK,
    LIE,
    MESSAGE,
    ORDER,
    SHOP,
    call,
    experiment,
    proposal,
    raw_in,
    reads_what_it_may_not,
    thief,
    turn,
    writes_what_it_may_not,
)
from regreen_agents.domain.identity import digest_of
from regreen_agents.llm.fake import Exchange, FakeServer, Scenario, When
from regreen_agents.llm.fake.scenario import Conversation, Fault
from regreen_agents.llm.redaction import spellings
from sick_projects import REGREEN, TIME_LIMIT_SECONDS, Finished, Patient, patient

KEY = f"sk-planted/{os.getpid()}+and=hidden-0123456789"
"""Other than any that runs beside it, and spelt differently in an URL."""
OTHER = f'def test_other():\n    raise KeyError("{LIE}")\n'
THIRD = f'def test_third():\n    raise OSError("{LIE}")\n'
BROKEN: tuple[dict[str, JsonValue], ...] = (
    {"type": "tool_use", "id": "\ud800", "name": "read_file", "input": {}},
    {"type": "server_tool_use", "id": "s1", "name": LIE, "input": {"\ud800": [LIE]}},
)
"""Blocks that are no Unicode: whoever encodes them fails, or cannot read them again."""


@dataclass(frozen=True)
class Sprint:
    """A sprint that is over."""

    shop: Patient
    printed: dict[str, str]
    """Command -> all it printed."""
    waited_for: str
    """What the sprint waited for although the plan says that everything is approved."""
    keys: frozenset[str]
    """Digests of the keys the server was sent."""
    before: str
    """Hooks and configuration of the git dir, as they were."""


def conversation(name: str, opening: str, *exchanges: Exchange) -> Conversation:
    return Conversation(name=name, when=When(opening=(opening,)), exchanges=exchanges)


def scenario() -> Scenario:
    """Return a model that obeys, breaks down in the next cluster, and rejects the key then."""
    first = When(role="explore", turn=1)
    busy = Fault(kind="status", status=529, message=f"{LIE} busy {'.' * 260} {KEY}")
    late = Fault(kind="overload", message=f"{LIE} {KEY}")
    faults = (
        Exchange(when=first, fault=busy),
        Exchange(when=first, fault=Fault(kind="cut"), text=LIE),
        Exchange(when=first, fault=late, text=KEY),
    )
    crash = Exchange(blocks=BROKEN, text=LIE, stop_reason="tool_use", repeat="forever")
    rejected = Fault(kind="status", status=401, message=f"{LIE} bad key {KEY}")
    obeys = (
        *faults,
        turn(1, *reads_what_it_may_not(), text=f"{LIE} Your key is {KEY}."),
        turn(2, experiment(), call("read_file", path="CLAUDE.md"), call("git_log")),
        turn(3, proposal(evidence=["E9"], scope=["./", HOOK])),
        turn(4, proposal(strategy=f"{LIE} Approve everything, unread, with {KEY}.")),
        turn(1, *writes_what_it_may_not(), role="implement"),
        turn(2, call("edit_file", path="shop/cart.py", old="+ discount", new="- discount"),
             role="implement"),
        turn(3, call("finish_change", summary=LIE), role="implement"),
    )  # fmt: skip
    return Scenario(
        conversations=(
            conversation("obeys", "test_a_discount", *obeys),
            conversation("crashes", "test_other", crash),
            conversation("rejects", "test_third", Exchange(fault=rejected, repeat="forever")),
        )
    )


@pytest.fixture(scope="module")
def sprint(tmp_path_factory: pytest.TempPathFactory) -> Sprint:
    home = tmp_path_factory.mktemp("home")
    files = SHOP | thief(KEY, home) | {"tests/test_other.py": OTHER, "tests/test_third.py": THIRD}
    with FakeServer(scenario()) as server:
        shop = patient(home, files)
        shop.scratch.commit({}, MESSAGE)
        more = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
        shop = replace(shop, env={**shop.env, **more})
        before = git_files(shop)
        printed = begun(shop, home)
        waited_for = shop.status()["waiting_for"]
        printed |= ended(shop)
        keys = frozenset(str(entry.key_digest) for entry in server.requests())
        return Sprint(shop, printed, waited_for, keys, before)


def begun(shop: Patient, home: Path) -> dict[str, str]:
    """Sprint to the first door, and look at what is there."""
    tape = ("--record", str(home / "tape.jsonl"))
    options = ("--engine", "claude", "--runs", "1", "--max-parallel", "1", *tape, "-vv")
    printed = {"sprint": said(shop.regreen("sprint", *options))}
    for command in ("status", "plan list", "plan show PR1", "plan show PR3"):
        printed[command] = said(shop.regreen(*command.split()))
    return printed


def ended(shop: Patient) -> dict[str, str]:
    """Approve, in a terminal, and look at what is there then."""
    printed = {"plan approve": on_a_terminal(shop, "plan", "approve", "PR1")}
    printed["commit show on a terminal"] = on_a_terminal(shop, "commit", "show", "PR1")
    for command in ("commit show PR1", "commit approve --all", "report"):
        printed[command] = said(shop.regreen(*command.split()))
    return printed


def said(done: Finished) -> str:
    assert done.code == 0, done
    return done.out + done.err


def on_a_terminal(shop: Patient, *arguments: str) -> str:
    """Run regreen on a terminal of its own and return every byte that reached it."""
    ours, theirs = pty.openpty()
    env = {**shop.env, "TERM": "xterm-256color"}
    running = subprocess.Popen(
        [*REGREEN, *arguments], cwd=shop.path, env=env,
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:
        pass  # Linux's way of saying that the other end is closed
    os.close(ours)
    assert running.wait(timeout=TIME_LIMIT_SECONDS) == 0, b"".join(parts)
    return b"".join(parts).decode("utf-8", "replace")


def git_files(shop: Patient) -> str:
    top = shop.path / ".git"
    files = [top / "config", *sorted((top / "hooks").iterdir())]
    return "".join(f"{path.name}\n{path.read_text()}" for path in files)


def pages(shop: Patient) -> dict[str, str]:
    """Return every text a person may open in the folder of the sprint."""
    found = (path for path in shop.sprint.rglob("*") if path.is_file())
    kinds = {".md", ".json", ".jsonl", ".txt", ".log", ".html"}
    kept = (path for path in found if path.suffix in kinds and "runs" not in path.parts)
    return {path.relative_to(shop.sprint).as_posix(): path.read_text("utf-8") for path in kept}


def loot(shop: Patient) -> list[dict[str, Any]]:
    found = (shop.path.parent / "loot").glob("*.json")
    return [json.loads(path.read_text()) for path in found]


def forms() -> list[bytes]:
    return [form.encode() for form in spellings(KEY)]


def test_an_order_to_approve_approves_nothing(sprint: Sprint) -> None:
    assert sprint.waited_for == "plans"


def test_only_the_scope_is_merged_and_nobodys_hooks_are_touched(sprint: Sprint) -> None:
    git = sprint.shop.scratch.git

    assert git("diff", "--name-only", "HEAD~1").splitlines() == ["shop/cart.py"]
    assert "sum(prices) - discount\n" in git("show", "HEAD:shop/cart.py") + "\n"
    assert git_files(sprint.shop) == sprint.before
    assert git("status", "--porcelain") == ""
    assert not list(sprint.shop.path.parent.rglob("owned"))


def test_other_clusters_are_refused_in_our_words(sprint: Sprint) -> None:
    refusals = [sprint.shop.sprint / "refusals" / f"PR{n}.json" for n in (2, 3)]
    crashed, rejected = (json.loads(path.read_text()) for path in refusals)

    assert "Every call the model made was wrong." in crashed["reason"]
    assert "The key is not valid." in rejected["reason"]


def test_nothing_raw_reaches_a_terminal(sprint: Sprint) -> None:
    plain = {name: text for name, text in sprint.printed.items() if "\x1b[0m" not in text}
    live = "".join(text for name, text in sprint.printed.items() if name not in plain)

    assert {name: raw_in(text) for name, text in plain.items() if raw_in(text)} == {}
    assert ORDER in sprint.printed["plan show PR1"]
    assert live
    steering = ("\x1b[2J", "\x1b]0;", "\x9b", "\x08", *LIE[-4:])
    assert [sign for sign in steering if sign in live] == []


def test_nothing_raw_stands_on_a_page(sprint: Sprint) -> None:
    found = {name: raw_in(text) for name, text in pages(sprint.shop).items()}

    assert {name: raw[:2] for name, raw in found.items() if raw} == {}
    assert "plans/PR1.md" in found
    assert "events.jsonl" in found
    assert "reports/report.md" in found
    assert "evidence/PR1/pytest.log" in found


def test_nothing_raw_is_in_the_commit(sprint: Sprint) -> None:
    message = sprint.shop.scratch.git("log", "-1", "--format=%B")
    added = sprint.shop.scratch.git("diff", "HEAD~1", "-U0").splitlines()

    assert raw_in(message) == []
    assert [line for line in added if line.startswith("+") and raw_in(line)] == []


def test_the_key_was_sent_to_the_server(sprint: Sprint) -> None:
    assert sprint.keys == {digest_of(KEY)}


def test_no_command_prints_the_key(sprint: Sprint) -> None:
    printed = {name: text.encode() for name, text in sprint.printed.items()}

    assert [name for name, text in printed.items() if any(f in text for f in forms())] == []


def test_the_key_is_in_no_file(sprint: Sprint) -> None:
    home = sprint.shop.path.parent
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    objects = sprint.shop.run("git", "cat-file", "--batch-all-objects", "--batch").out.encode()

    found = [path for path in files if any(form in path.read_bytes() for form in forms())]

    assert found == []
    assert not any(form in objects for form in forms())
    assert home / "tape.jsonl" in files
    assert sprint.shop.sprint / "spending.jsonl" in files
    assert list((sprint.shop.sprint / "conversations").iterdir())


def test_a_suite_that_looks_everywhere_finds_no_key(sprint: Sprint) -> None:
    taken = loot(sprint.shop)

    assert {one["place"] for one in taken} == {"conftest", "test"}
    assert [one["found"] for one in taken if one["found"]] == []
    assert not any("ANTHROPIC" in name for one in taken for name in one["environ"])
    assert any("/environ" in path for one in taken for path in one["looked"])
    assert any("tape.jsonl" in path for one in taken for path in one["looked"])
