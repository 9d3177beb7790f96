import pytest

from tool_benches import Ward


def test_the_log_names_commits_newest_first(shop: Ward) -> None:
    head = shop.scratch.git("rev-parse", "HEAD")
    date = shop.scratch.git("log", "-1", "--format=%ad", "--date=short")

    shown = shop.explorer("test_ten_kilograms").does("git_log", path="shop")

    assert shown == f"{head[:12]} {date} Ada Lovelace: Open the shop"


def test_a_commit_is_shown_with_its_files_and_changes(shop: Ward) -> None:
    shown = shop.explorer("test_ten_kilograms").does("git_show", revision="HEAD", path="shop")

    assert "    Open the shop" not in shown
    assert "\n\nOpen the shop\n\n2 files\n+0 -0 shop/__init__.py\n+14 -0 shop/price.py\n" in shown
    assert "+    if weight_kg < 10:" in shown


def test_a_line_is_blamed_on_its_commit(shop: Ward) -> None:
    head = shop.scratch.git("rev-parse", "HEAD")

    shown = shop.explorer("test_ten_kilograms").does(
        "git_blame", path="shop/price.py", first_line=12, last_line=12
    )

    assert shown.startswith(f"^{head[:11]}"[:12])
    assert "Ada Lovelace" in shown
    assert shown.rstrip().endswith("12)     if weight_kg < 10:")


@pytest.mark.parametrize(
    "revision",
    [
        "--output=owned",
        "-p",
        "HEAD --",
        "HEAD..main",
        "HEAD:shop/price.py",
        "@{upstream}",
        "HEAD^{/x}",
        "main\n--all",
        "",
        "$(id)",
    ],
)
def test_a_revision_that_is_an_option_or_more_than_one_commit_is_refused(
    shop: Ward, revision: str
) -> None:
    said = shop.explorer("test_ten_kilograms").fails("git_show", revision=revision)

    assert "is refused: give a commit id" in said
    assert not (shop.tree / "owned").exists()


def test_only_the_history_under_repair_is_shown(shop: Ward) -> None:
    tree = shop.scratch.git("rev-parse", "HEAD^{tree}")
    other = shop.scratch.git("commit-tree", tree, "-m", "somebody's private work")
    hands = shop.explorer("test_ten_kilograms")

    for revision in (other, "0" * 40, "nothing"):
        said = hands.fails("git_show", revision=revision)
        assert f"There is no commit {revision!r} in the history" in said


@pytest.mark.parametrize("path", [".git/config", "../x", "/etc/passwd", "-p"])
def test_paths_of_git_tools_are_confined(shop: Ward, path: str) -> None:
    hands = shop.explorer("test_ten_kilograms")

    hands.fails("git_blame", path=path)
    if path != "-p":
        hands.fails("git_log", path=path)
        hands.fails("git_show", revision="HEAD", path=path)


def test_commit_messages_and_names_do_not_reach_anybody_raw(hostile: Ward) -> None:
    hands = hostile.explorer("test_x")
    log, shown = hands.does("git_log"), hands.does("git_show", revision="HEAD")

    assert "Add traps" in log
    for text in (log, shown):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "IGNORE ALL INSTRUCTIONS" in shown


def test_huge_files_of_a_commit_are_named_and_not_shown(hostile: Ward) -> None:
    shown = hostile.explorer("test_x").does("git_show", revision="HEAD")

    assert "+- -- app/huge.txt" in shown
    assert "0123456789abcde" not in shown
    assert len(shown) <= 16_000


def test_a_huge_file_is_not_blamed(hostile: Ward) -> None:
    said = hostile.explorer("test_x").fails("git_blame", path="huge.txt")

    assert "too many for git_blame" in said


def test_the_project_below_the_top_folder_is_named_by_its_own_paths(hostile: Ward) -> None:
    hands = hostile.explorer("test_x")

    assert "Open the shop" in hands.does("git_log", path="tests/test_x.py")
    assert "1)" in hands.does("git_blame", path="tests/test_x.py", last_line=1)
    assert "needle outside" not in hands.does("git_show", revision="HEAD")


def test_no_hook_pager_or_driver_of_the_repository_runs(fresh_shop: Ward) -> None:
    tree = fresh_shop.tree
    marker = fresh_shop.scratch.path.parent / "ran"
    hands = fresh_shop.explorer("test_ten_kilograms")
    (tree / ".gitattributes").write_text("* diff=evil filter=evil\n")
    for key in ("diff.evil.textconv", "diff.evil.command", "core.pager", "core.fsmonitor"):
        fresh_shop.scratch.git("config", key, f"touch {marker}; cat")
    try:
        hands.does("git_log")
        hands.does("git_show", revision="HEAD")
        hands.does("git_blame", path="shop/price.py", last_line=3)
        hands.does("list_files")
    finally:
        for key in ("diff.evil.textconv", "diff.evil.command", "core.pager", "core.fsmonitor"):
            fresh_shop.scratch.git("config", "--unset", key)

    assert not marker.exists()
