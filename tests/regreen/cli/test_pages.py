"""What is shown fits the terminal, is in plain words, and cannot be steered by its content."""

import io
import json
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from regreen.cli import doors, pages, render
from regreen.cli.terminal import ASCII, UNICODE, Screen
from regreen.views import CommitRow, DoctorLine, PlanRow, SprintStatus
from regreen_agents.domain.progress import Stage

HOSTILE = "tests/test_a.py::test_b[\x1b[2J\x1b]0;owned\x07\u202e[red]x[/red]\r\n:smile:]"


def screen(*, width: int = 80, plain: bool = False) -> Screen:
    console = Console(
        file=io.StringIO(), width=width, no_color=True, markup=False, highlight=False, emoji=False
    )
    return Screen(console, ASCII if plain else UNICODE, plain=plain, live=False)


def shown(page: Callable[[Screen], RenderableType], *, width: int = 80, plain: bool = False) -> str:
    on = screen(width=width, plain=plain)
    on.console.print(page(on))
    assert isinstance(on.console.file, io.StringIO)
    return on.console.file.getvalue()


def plan(number: int = 1, **changes: object) -> PlanRow:
    values: dict[str, object] = {
        "id": f"PR{number}",
        "title": "Restore SHOP_REGION after the checkout tests have set it",
        "state": "waiting",
        "cause": "environment-leak",
        "risk": "medium",
        "tests": 3,
        "option": "A",
        "note": "",
    }
    return PlanRow.model_validate(values | changes)


def commit(**changes: object) -> CommitRow:
    values: dict[str, object] = {
        "id": "PR1",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "subject": "Restore SHOP_REGION after the test",
        "state": "waiting",
        "files": 2,
        "added": 14,
        "removed": 3,
        "fixed": 4,
        "flags": (),
    }
    return CommitRow.model_validate(values | changes)


def sprint(**changes: object) -> SprintStatus:
    values: dict[str, object] = {
        "id": "20261122T101500Z",
        "repo": "/home/ann/shop",
        "stage": Stage.REVIEW,
        "waiting_for": "plans",
        "running": False,
        "plans": (plan(1), plan(2, state="approved")),
        "commits": (),
        "before": {"failed": 8, "passed": 52},
        "after": {},
        "refusals": 0,
        "next_command": "regreen plan show PR1",
        "report": "",
        "summary": "",
        "notes": (),
        "verdict": "",
    }
    return SprintStatus.model_validate(values | changes)


def status_text(value: SprintStatus, **how: bool) -> str:
    return shown(lambda on: pages.status_page(value, on), **how)


def test_counts_are_told_in_a_fixed_order_without_zeros() -> None:
    told = pages.counts({"xfailed": 1, "skipped": 2, "failed": 8, "error": 0, "passed": 52})

    assert told == "52 passed, 8 failed, 2 skipped, 1 xfailed"
    assert pages.counts({}) == "not measured"


def test_stages_before_the_current_one_are_done_and_later_ones_are_not() -> None:
    text = shown(lambda on: pages.stage_line(Stage.EXPLORE, on)).rstrip("\n")

    assert text == ("✓baseline ✓triage ●explore ·review ·implement ·gate ·approve ·merge ·report")


def test_a_finished_sprint_has_all_stages_done_and_a_waiting_one_says_so() -> None:
    done = shown(lambda on: pages.stage_line(Stage.DONE, on), plain=True)
    waiting = shown(lambda on: pages.stage_line(Stage.REVIEW, on, waits=True), plain=True)

    assert done.count("+") == 9
    assert "?review" in waiting


def test_a_status_tells_where_it_stands_and_whom_it_waits_for() -> None:
    text = status_text(sprint(notes=("1 test timed out",), summary="2 plans wait."))

    assert "Sprint 20261122T101500Z in /home/ann/shop" in text
    assert "52 passed, 8 failed" in text
    assert "you, to decide on the plans" in text
    assert "PR2   approved" in text
    assert "note: 1 test timed out" in text
    assert "2 plans wait." in text
    assert "After" not in text


def test_once_there_are_commits_the_status_shows_them_and_not_the_plans() -> None:
    value = sprint(
        stage=Stage.APPROVE, waiting_for="commits", commits=(commit(),), after={"passed": 60}
    )

    text = status_text(value)

    assert "0123456789  " in text
    assert "+14/-3" in text
    assert "60 passed" in text
    assert "SHOP_REGION after the checkout tests" not in text


def test_a_status_with_very_many_plans_counts_the_rest() -> None:
    text = status_text(sprint(plans=tuple(plan(n) for n in range(1, 31))))

    assert "PR10" in text
    assert "PR11" not in text
    assert "and 20 more: regreen plan list" in text


def test_a_status_of_ten_short_plans_fits_24_lines() -> None:
    text = status_text(sprint(plans=tuple(plan(n, cause="", title="Short") for n in range(1, 31))))

    assert len(text.splitlines()) <= 22  # and two for the next command


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("plain", [False, True])
def test_no_line_of_a_table_is_wider_than_the_terminal(width: int, plain: bool) -> None:
    title = "日本語のテスト " * 10 + "x" * 300
    rows = (plan(title=title, note="n" * 90), plan(123, risk="critical", state="implemented"))
    found = DoctorLine(name="bubblewrap", state="warn", detail="d" * 150, fix="f " * 90)

    texts = [
        shown(lambda on: pages.plan_table(rows, on), width=width, plain=plain),
        shown(lambda on: pages.commit_table((commit(subject=title),), on), width=80, plain=plain),
        shown(lambda on: pages.doctor_page((found,), on), width=width, plain=plain),
    ]

    for text, limit in zip(texts, [width, 80, width], strict=True):
        assert max(cell_len(line) for line in text.splitlines()) <= min(limit, 100)
    assert texts[0].replace(" ", "").replace("\n", "").count("x") >= 300


@pytest.mark.parametrize("plain", [False, True])
def test_a_hostile_test_id_cannot_steer_the_terminal(plain: bool) -> None:
    value = sprint(
        plans=(plan(title=HOSTILE, note=HOSTILE, cause=HOSTILE),),
        notes=(HOSTILE,),
        summary=HOSTILE,
        verdict=HOSTILE,
        repo=HOSTILE,
    )

    text = status_text(value, plain=plain)
    text += shown(lambda on: pages.commit_table((commit(flags=(HOSTILE,)),), on), plain=plain)

    for sign in ("\x1b", "\x07", "\u202e", "\r"):
        assert sign not in text
    assert "[red]x[/red]" in text.replace("\n", "")
    assert ":smile:" in text


def test_an_ascii_screen_gets_ascii_only() -> None:
    text = status_text(sprint(plans=(plan(title="test_région[✓]"),)), plain=True)

    assert text.isascii()
    assert "test_r\\xe9gion" in text


def test_policy_decisions_stand_below_the_commit_that_makes_them() -> None:
    flags = ("tests/conftest.py:3 test-configuration",)

    text = shown(lambda on: pages.commit_table((commit(flags=flags),), on))

    subject, flag = text.index("Restore SHOP_REGION"), text.index("! tests/conftest.py:3")
    assert subject < flag


def test_what_the_doctor_misses_comes_with_its_fix_and_what_is_fine_without() -> None:
    lines = (
        DoctorLine(name="git", state="ok", detail="2.39.2", fix="never shown"),
        DoctorLine(name="pytest", state="missing", detail="not there", fix="pip install pytest"),
    )

    text = shown(lambda on: pages.doctor_page(lines, on))

    assert "fix: pip install pytest" in text
    assert "never shown" not in text


def test_empty_lists_say_so() -> None:
    assert shown(lambda on: pages.plan_table((), on)) == "No plans yet.\n"
    assert shown(lambda on: pages.commit_table((), on)) == "No commits yet.\n"


def test_a_diff_is_coloured_but_the_message_before_it_is_not() -> None:
    text = pages.diff_text("- a list in the message\ndiff --git a/x b/x\n-old\n+new\n")

    styled = {text.plain[span.start : span.end]: span.style for span in text.spans}

    assert styled["-old\n"] == "red"
    assert styled["+new\n"] == "green"
    assert "- a list in the message\n" not in styled


def test_json_is_ascii_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    render.as_json((plan(title="test_région"), plan(2)))

    out = capsys.readouterr().out
    assert out.isascii()
    assert [PlanRow.model_validate(row) for row in json.loads(out)] == [
        plan(title="test_région"),
        plan(2),
    ]


def test_a_question_about_a_hostile_plan_is_harmless_and_enter_only_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))

    answer = render.choose(HOSTILE, doors.ANSWERS)

    assert answer == "show"
    assert not {"\x1b", "\x07", "\u202e"} & set(capsys.readouterr().out)


def test_a_diff_goes_into_a_pipe_with_its_tabs_and_without_wrapping(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "Subject\n\ndiff --git a/x b/x\n+\t" + "y" * 200 + "\x1b[2J\n"

    render.commit(text)

    assert capsys.readouterr().out == text.replace("\x1b[2J", "")
