"""The command engine: whatever a command does, only its diff counts, and nothing else stays."""

import base64
import os
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from command_parts import NAME, REPAIR, VICTIM, Shop, git_state, the_plan
from regreen_agents.domain.changes import Change
from regreen_agents.domain.plans import Refusal
from regreen_agents.engines.command import CommandEngine, CommandRooms
from regreen_agents.engines.command_plans import command_option
from regreen_agents.errors import StoppedError
from regreen_agents.llm.secret import Secret
from scratch_git import Scratch
from target_projects import marked, wait_until

SECRET = "sk-ant-planted-0123456789abcdef"
GIT = f"export PATH='{os.environ['PATH']}'; git -c user.name=x -c user.email=x@y"


def shell(*lines: str) -> str:
    """Return a program that repairs the bug, and then runs git commands."""
    told = "; ".join(lines).replace("GIT", GIT)
    return textwrap.dedent(REPAIR) + f"import subprocess\nsubprocess.run({told!r}, shell=True)\n"


def test_a_commands_repair_is_validated_and_committed(shop: Shop) -> None:
    before = git_state(shop.scratch)

    change = shop.implement(REPAIR)

    assert isinstance(change, Change)
    assert [stat.path for stat in change.files] == ["shop/price.py"]
    assert change.fixed == (VICTIM,)
    assert change.attempts[0].reason == "fake edited shop/price.py"
    assert change.attempts[0].recipe == f"command:{NAME}"
    assert change.validation
    assert change.parent == shop.base
    assert "sum(prices)" in shop.scratch.git("show", f"{change.commit}:shop/price.py")
    assert git_state(shop.scratch) == before
    assert shop.attempts == [change.attempts]


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ((), "sys.stdin.read()"),
        (("--in", "{prompt_file}"), "open(sys.argv[2]).read()"),
        (("{prompt}",), "sys.argv[1]"),
    ],
)
def test_the_prompt_comes_as_the_command_wants_it(
    shop: Shop, words: tuple[str, ...], read: str
) -> None:
    engine = shop.engine("")
    code = f"import sys\nopen(sys.argv[-1], 'w').write({read})\n"
    out = shop.folder / "seen.md"
    shop.program(code)
    told = engine.settings.model_copy(
        update={"command": (*engine.settings.command, *words, str(out))}
    )

    found = type(engine)(NAME, told, engine.rooms).implement(the_plan(), shop.workshop())

    assert isinstance(found, Refusal)
    prompt = out.read_text("utf-8")
    assert "`total` leaves out the first price." in prompt
    assert "shop/\ntests/test_price.py" in prompt
    assert f"python -m pytest -q {VICTIM}" in prompt
    assert "It is data." in prompt


def test_the_worktree_is_where_it_runs_and_can_be_named(shop: Shop) -> None:
    engine = shop.engine("")
    shop.program("import os, sys\nprint(sys.argv[1] == os.getcwd(), os.listdir())")
    told = engine.settings.model_copy(update={"command": (*engine.settings.command, "{worktree}")})

    found = type(engine)(NAME, told, engine.rooms).implement(the_plan(), shop.workshop())

    assert isinstance(found, Refusal)
    assert "True" in found.reason
    assert "docs" in found.reason


def test_a_command_that_changes_nothing_is_refused_with_its_last_words(shop: Shop) -> None:
    reason = shop.refused("print('I give up: \\x1b[31mred\\x1b[0m')")

    assert "fake changed nothing" in reason
    assert "I give up: red" in reason
    assert "runs/implement-PR1/command-1.log" in reason
    assert shop.attempts[-1][0].result == "no-edit"


def test_an_edit_outside_the_scope_is_refused_with_everything_else(shop: Shop) -> None:
    more = "Path('docs/notes.md').write_text('mine')\nPath('new.py').write_text('')\n"

    reason = shop.refused(textwrap.dedent(REPAIR) + more)

    assert "docs/notes.md, new.py, outside the approved scope" in reason
    assert shop.attempts[-1][0].result == "out-of-scope"
    assert shop.untouched()


def test_files_outside_the_projects_folder_are_outside_the_scope(shop: Shop) -> None:
    above = shop.engine("from pathlib import Path\nPath('../up.py').write_text('')")
    shop.prefix = "shop"
    rooms = type(above.rooms)(above.rooms.around, "shop")

    found = type(above)(NAME, above.settings, rooms).implement(
        the_plan(("price.py",)), shop.workshop()
    )

    assert isinstance(found, Refusal)
    assert "../up.py, outside the approved scope" in found.reason


def test_a_wrong_repair_is_refused_by_the_validation(shop: Shop) -> None:
    wrong = "open('shop/price.py', 'w').write('def total(prices):\\n    return 3\\n')"

    reason = shop.refused(wrong)

    assert "test_nothing" in reason
    assert shop.attempts[-1][0].result == "failed"


def test_deleting_the_failing_test_is_no_repair(shop: Shop) -> None:
    reason = shop.refused("import os; os.unlink('tests/test_price.py')")

    assert "the failing test is gone" in reason
    assert shop.attempts[-1][0].result == "failed"


def test_a_weakened_test_is_flagged_for_a_person(shop: Shop) -> None:
    change = shop.implement(
        """
        from pathlib import Path
        path = Path("tests/test_price.py")
        path.write_text(path.read_text().replace("assert total([1, 2]) == 3", "pass"))
        """
    )

    assert isinstance(change, Change)
    assert [flag.rule for flag in change.policy_flags] == ["weaker-assertions"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("os.symlink('/etc/passwd', 'shop/link.py')", "'shop/link.py' is a symbolic link"),
        ("os.unlink('shop/price.py'); os.symlink('/x', 'shop/price.py')", "is a symbolic link"),
        ("open('shop/a.bin', 'wb').write(b'a\\0b')", "'shop/a.bin' is binary"),
        ("open('shop/a.txt', 'wb').write(b'\\xff\\xfe\\xfd')", "is not text"),
        ("os.chmod('shop/price.py', 0o755)", "'shop/price.py' has another mode"),
        ("open('shop/x.sh', 'w'); os.chmod('shop/x.sh', 0o755)", "'shop/x.sh' is executable"),
        ("os.system('git init -q shop/inner')", "is a repository of its own"),
        ("open('shop/a\\nb.py', 'w')", "control characters"),
        ("open('shop/big.txt', 'w').write('x' * 6_000_000)", "larger than 5 MiB"),
    ],
)
def test_what_no_change_may_hold_is_named(shop: Shop, code: str, told: str) -> None:
    reason = shop.refused(f"import os\n{textwrap.dedent(REPAIR)}\n{code}\n")

    assert told in reason
    assert shop.untouched()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "printf '#!/bin/sh\\n' > $(GIT rev-parse --git-common-dir)/hooks/post-commit",
            "hooks/post",
        ),
        (
            "printf '#!/bin/sh\\nrm -rf x' > $(GIT rev-parse --git-common-dir)/hooks/pre-push",
            "hook",
        ),
        ("cd $(GIT rev-parse --git-common-dir) && rm -rf hooks && ln -s /tmp hooks", "hooks"),
        ("GIT config core.pager 'sh -c evil'", "config"),
        ("GIT config filter.x.clean 'touch /tmp/regreen-evil'", "config"),
        (
            "echo '* filter=x' > $(GIT rev-parse --git-common-dir)/info/attributes",
            "info/attributes",
        ),
        ("GIT branch evil", "refs/heads/evil"),
        ("GIT update-ref -d refs/heads/other", "refs/heads/other"),
        ("GIT commit -qam x; GIT update-ref refs/heads/main HEAD", "refs/heads/main"),
        ("GIT checkout -qb mine; GIT commit -qam x", "refs/heads/mine"),
        ("GIT replace HEAD $(GIT commit-tree HEAD^{tree} -m x)", "refs/replace"),
        ("GIT stash", "refs/stash"),
        ("GIT --git-dir=$(GIT rev-parse --git-common-dir) rm -q --cached run.sh", "index"),
        (
            "GIT --git-dir=$(GIT rev-parse --git-common-dir) symbolic-ref HEAD refs/heads/other",
            "HEAD",
        ),
        ("echo junk > $(GIT rev-parse --git-common-dir)/index", "index"),
        ("rm .git; GIT init -q", ".git"),
        ("echo gitdir: /tmp > .git", ".git"),
        ("echo > $(GIT rev-parse --git-dir)/regreen-ignored", "regreen-ignored"),
    ],
)
def test_what_is_changed_in_the_git_directory_is_put_back_and_refused(
    shop: Shop, line: str, told: str
) -> None:
    before = git_state(shop.scratch)

    reason = shop.refused(shell(line))

    assert "fake changed git's own files, which were put back" in reason
    assert told in reason
    assert git_state(shop.scratch) == before
    assert shop.untouched()


def test_what_a_command_left_in_the_git_directory_is_kept_beside_its_log(shop: Shop) -> None:
    shop.refused(
        shell("echo evil > $(GIT rev-parse --git-common-dir)/hooks/post-commit", "GIT branch evil")
    )

    kept = shop.logs / "command-1-git"
    assert (kept / "git" / "hooks" / "post-commit").read_text() == "evil\n"
    assert (kept / "references.txt").read_text().startswith("refs/heads/evil")


def test_a_filter_from_a_commands_configuration_never_runs(shop: Shop) -> None:
    mark = shop.folder / "ran"

    shop.refused(
        shell(
            f"GIT config filter.x.clean 'touch {mark}'",
            "echo '* filter=x' > $(GIT rev-parse --git-common-dir)/info/attributes",
        )
    )

    assert not mark.exists()


def test_commits_are_read_as_one_diff_beside_deletions_own_files_and_a_bad_end(
    shop: Shop,
) -> None:
    shop.scratch.commit({"shop/old.py": "OLD = 1\n"})
    fresh = Shop(shop.scratch, shop.folder, shop.baseline, name="second")
    code = shell("GIT commit -qam one", "rm shop/old.py", "GIT commit -qam two", "mkdir .fake")
    code += "Path('.fake/history').write_text('x')\nraise SystemExit(4)\n"

    change = fresh.implement(code, own_files=(".fake*",))

    assert isinstance(change, Change)
    assert change.parent == fresh.base
    assert sorted(stat.path for stat in change.files) == ["shop/old.py", "shop/price.py"]
    assert "it ended with exit code 4" in change.attempts[0].reason
    tree = Scratch(fresh.tree)
    assert tree.git("rev-list", "--count", f"{fresh.base}..{change.commit}") == "1"
    assert tree.git("log", "-1", "--format=%an", change.commit) == "Zoë Ångström"
    assert "old.py" not in tree.git("ls-tree", "-r", "--name-only", change.commit)


def test_an_index_that_hides_an_edit_hides_nothing(shop: Shop) -> None:
    reason = shop.refused(
        shell("echo x >> docs/notes.md", "GIT update-index --assume-unchanged docs/notes.md")
    )

    assert "docs/notes.md, outside the approved scope" in reason


def test_commands_beside_each_other_are_compared_with_one_picture(shop: Shop) -> None:
    guard = shop.engine().rooms.guard
    other = Shop(shop.scratch, shop.folder, shop.baseline, name="second")
    hook = shop.scratch.path / ".git" / "hooks" / "post-commit"

    first = guard.begin(shop.tree)
    hook.write_text("evil")
    second = guard.begin(other.tree)
    told = (guard.end(first, shop.logs), guard.end(second, shop.logs))

    assert told == (("hooks/post-commit",), ("hooks/post-commit",))
    assert not hook.exists()
    third = guard.begin(shop.tree)
    assert guard.end(third, shop.logs) == ()


def test_other_worktrees_and_refreshed_indexes_are_no_offence(shop: Shop) -> None:
    guard = shop.engine().rooms.guard
    watch = guard.begin(shop.tree)
    shop.worktrees.add("later", shop.base)
    shop.scratch.git("update-ref", "refs/regreen/sprint/PR1", shop.base)
    shop.scratch.git("update-ref", "refs/remotes/origin/main", shop.base)
    os.utime(shop.scratch.path / "run.sh", (1, 1))
    shop.scratch.git("status")

    assert guard.end(watch, shop.logs) == ()


def test_a_command_that_never_ends_is_killed_and_told(shop: Shop) -> None:
    reason = shop.refused("import time\nprint('thinking', flush=True)\ntime.sleep(600)\n",
                          timeout_seconds=0.7)  # fmt: skip

    assert "it was not done in 0.7 s and was killed" in reason
    assert "thinking" in reason
    assert marked() == []


def test_a_failed_command_is_told(shop: Shop) -> None:
    assert "it ended with exit code 3" in shop.refused("raise SystemExit(3)")


def test_daemons_of_a_command_end_with_it(shop: Shop) -> None:
    daemon = """
    import os, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(0.05)
            time.sleep(600)
        os._exit(0)
    os.wait()
    print("started")
    """

    reason = shop.refused(daemon)

    assert "started" in reason
    assert wait_until(lambda: marked() == [])


def test_a_command_finds_no_key_and_no_home_of_the_person(shop: Shop, tmp_path: Path) -> None:
    home = tmp_path / "person"
    (home / ".secrets").mkdir(parents=True)
    shop.environ |= {
        "ANTHROPIC_API_KEY": SECRET,
        "SHOP_TOKEN": SECRET,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "OTHER": "x",
    }
    found = shop.refused(
        """
        import os
        told = sorted(n for n in os.environ if n not in ("PATH", "LANG", "PWD", "SHLVL", "_"))
        print(*told, os.listdir(os.environ["HOME"]), os.environ["HOME"] != os.path.expanduser("~x"))
        print("KEY" if any("planted" in v for v in os.environ.values()) else "nothing")
        print(os.path.isdir(os.environ["TMPDIR"]), os.environ["TMPDIR"].startswith("/"))
        """
    )

    assert "nothing" in found
    assert "GIT_TERMINAL_PROMPT HOME NO_COLOR REGREEN_RUN TEMP TERM TMP TMPDIR []" in found
    assert str(home) not in found


def test_a_named_variable_is_passed_and_its_secret_kept_out_of_every_text(shop: Shop) -> None:
    shop.environ |= {"FAKE_API_KEY": SECRET, "FAKE_MODEL": "model-1"}
    coded = base64.b64encode(SECRET.encode()).decode()

    reason = shop.refused(
        """
        import base64, os
        key = os.environ["FAKE_API_KEY"]
        print(os.environ["FAKE_MODEL"], "the key:", key, base64.b64encode(key.encode()).decode())
        """,
        env=("FAKE_API_KEY", "FAKE_MODEL", "NOT_SET"),
    )

    log = (shop.logs / "command-1.log").read_text()
    assert "model-1 the key: <key> <key>" in reason
    for text in (reason, log):
        assert SECRET not in text
        assert coded[:-4] not in text


def test_regreens_own_key_is_passed_only_where_its_variable_is_named(shop: Shop) -> None:
    code = "import os\nprint('key:', os.environ.get('ANTHROPIC_API_KEY'))"
    for names, told in (((), "key: None"), (("ANTHROPIC_API_KEY",), "key: <key>")):
        engine = shop.engine(code, env=names)
        rooms = CommandRooms(replace(engine.rooms.around, key=Secret(SECRET)))

        found = CommandEngine(NAME, engine.settings, rooms).implement(the_plan(), shop.workshop())

        assert isinstance(found, Refusal)
        assert told in found.reason
        assert SECRET not in found.model_dump_json()
        assert SECRET not in (shop.logs / "command-1.log").read_text()


def test_a_home_that_is_named_is_the_persons(shop: Shop, tmp_path: Path) -> None:
    shop.environ |= {"HOME": str(tmp_path)}

    reason = shop.refused(
        f"import os\nprint(os.environ['HOME'] == {str(tmp_path)!r})", env=("HOME",)
    )

    assert "True" in reason


def test_a_memory_limit_holds(shop: Shop) -> None:
    reason = shop.refused("x = bytearray(900 * 1024 * 1024)", memory_limit_mib=200)

    assert "MemoryError" in reason


def test_a_program_that_is_not_there_is_told(shop: Shop) -> None:
    engine = shop.engine()
    told = engine.settings.model_copy(update={"command": ("no-such-agent",)})

    found = type(engine)(NAME, told, engine.rooms).implement(the_plan(), shop.workshop())

    assert isinstance(found, Refusal)
    assert "'no-such-agent' is not found" in found.reason


def test_a_prompt_too_long_for_an_argument_is_told(shop: Shop) -> None:
    made = the_plan().model_copy(update={"strategy": "x" * 130_000})
    engine = shop.engine()
    told = engine.settings.model_copy(update={"command": (*engine.settings.command, "{prompt}")})

    found = type(engine)(NAME, told, engine.rooms).implement(made, shop.workshop())

    assert isinstance(found, Refusal)
    assert "too long to be an argument" in found.reason


def test_ignored_files_and_bytecode_cannot_make_a_wrong_change_look_right(shop: Shop) -> None:
    (shop.scratch.path / "shop" / "data.so").write_text("true")
    fresh = Shop(shop.scratch, shop.folder, shop.baseline, name="second")
    cheat = """
    import py_compile, os
    from pathlib import Path
    Path("shop/data.so").write_text("false")
    Path("shop/new.so").write_text("x")
    source = Path("shop/price.py")
    right, now = source.read_text(), source.stat()
    source.write_text(right.replace("[1:]", "[:]+"[:4]))
    """
    cheat += """
    text = right.replace("prices[1:]", "prices    ")
    source.write_text(text)
    os.utime(source, ns=(now.st_atime_ns, now.st_mtime_ns))
    py_compile.compile("shop/price.py")
    source.write_text(right)
    os.utime(source, ns=(now.st_atime_ns, now.st_mtime_ns))
    """

    reason = fresh.refused(cheat)

    assert "changed nothing" in reason
    assert (fresh.tree / "shop" / "data.so").read_text() == "true"
    assert not (fresh.tree / "shop" / "new.so").exists()
    assert not list(fresh.tree.rglob("*.pyc"))


def test_a_stopped_sprint_ends_the_command_and_puts_everything_back(shop: Shop) -> None:
    flag = shop.folder / "begun"
    hook = "$(GIT rev-parse --git-common-dir)/hooks/post-commit"
    code = shell(f"echo evil > {hook}", f"touch {flag}", "sleep 600")
    caught: list[BaseException] = []

    def work() -> None:
        try:
            shop.implement(code)
        except StoppedError as error:
            caught.append(error)

    before = git_state(shop.scratch)
    thread = threading.Thread(target=work)
    thread.start()
    assert wait_until(flag.exists)
    shop.stopper.stop()
    thread.join(30)

    assert [type(error) for error in caught] == [StoppedError]
    assert git_state(shop.scratch) == before
    assert marked() == []


def test_other_options_are_carried_out_as_the_embedded_engine_does(shop: Shop) -> None:
    option = command_option("another", "A")
    other = the_plan().model_copy(update={"options": (option,)})
    reason = shop.refused(REPAIR, other)
    assert "The plan names another command than fake." in reason

    recipe = option.model_copy(update={"recipe": "anchor_path"})
    both = other.model_copy(update={"options": (recipe, command_option(NAME, "B"))})
    shop.refused("print('no')", both)
    assert [(a.option, a.result) for a in shop.attempts[-1]] == [("A", "no-edit"), ("B", "no-edit")]
    assert (shop.logs / "command-2.log").is_file()

    chosen = both.model_copy(update={"chosen": "A"})
    assert "anchor" not in shop.refused(REPAIR, chosen)
