"""Which editor is opened, and that it is never guessed wrong."""

from pathlib import Path

import pytest

from regreen.cli import editing
from regreen_agents.errors import UsageError


def folder_with(tmp_path: Path, *programs: str) -> str:
    for name in programs:
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return str(tmp_path)


def test_visual_is_asked_before_editor_and_may_have_arguments(tmp_path: Path) -> None:
    path = folder_with(tmp_path, "code", "nano")
    environment = {"VISUAL": "code --wait", "EDITOR": "nano", "PATH": path}

    assert editing.editor_command(environment, interactive=False) == ("code", "--wait")


def test_a_person_without_a_set_editor_gets_the_first_one_installed(tmp_path: Path) -> None:
    path = folder_with(tmp_path, "nano")

    assert editing.editor_command({"PATH": path}, interactive=True) == ("nano",)


@pytest.mark.parametrize(
    ("environment", "interactive", "what"),
    [
        ({"PATH": "/nowhere"}, True, "no editor to open"),
        ({"PATH": "/nowhere", "EDITOR": "nano"}, True, "'nano' is not found"),
        ({"PATH": "/nowhere", "EDITOR": "nano 'x"}, True, "cannot be read"),
    ],
)
def test_an_editor_that_cannot_be_opened_is_refused(
    environment: dict[str, str], interactive: bool, what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        editing.editor_command(environment, interactive=interactive)


def test_a_program_without_a_terminal_gets_no_fallback_editor(tmp_path: Path) -> None:
    path = folder_with(tmp_path, "vi")

    with pytest.raises(UsageError, match="no editor") as caught:
        editing.editor_command({"PATH": path}, interactive=False)

    assert "--file FILE" in caught.value.fix


def test_a_rejected_edit_is_kept_beside_the_plans_and_is_no_plan_itself() -> None:
    path = editing.rejected_path(Path("/shop"), "20261122T101500Z", "PR1")

    assert path == Path("/shop/.regreen/sprints/20261122T101500Z/plans/PR1.md.rejected")
    assert path.suffix != ".md"
