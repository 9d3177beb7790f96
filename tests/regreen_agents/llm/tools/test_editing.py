import pytest

from regreen_agents.domain.changes import FileEdit
from regreen_agents.llm.tools.toolbox import implementer_tools
from tool_benches import Ward

PRICE = "shop/price.py"
SCOPE = ("shop/", "tests/test_windows.py", "tests/test_new.py")
TEN = "tests/test_parcels.py::test_ten_kilograms"


def test_an_exact_piece_of_text_is_replaced_in_the_draft_only(shop: Ward) -> None:
    hands, draft = shop.implementer("test_ten_kilograms", SCOPE)
    before = (shop.project / PRICE).read_text()

    told = hands.does("edit_file", path=PRICE, old="weight_kg < 10", new="weight_kg <= 10")

    assert "    12\t    if weight_kg <= 10:" in told
    after = before.replace("< 10", "<= 10")
    assert draft.edits() == (FileEdit(path=PRICE, before=before, after=after),)
    assert (shop.project / PRICE).read_text() == before


def test_reads_searches_lists_and_runs_see_the_draft(shop: Ward) -> None:
    hands, _ = shop.implementer("test_ten_kilograms", SCOPE)
    hands.does("edit_file", path=PRICE, old="weight_kg < 10", new="weight_kg <= 10")
    text = "from shop.price import parcels\n\n\ndef test_new():\n    assert parcels(10) == 1\n"
    hands.does("create_file", path="tests/test_new.py", text=text)

    assert "weight_kg <= 10" in hands.does("read_file", path=PRICE)
    assert "price.py:12" in hands.does("search", pattern="weight_kg <= 10")
    assert "tests/test_new.py" in hands.does("list_files", folder="tests")
    ran = hands.use("run_tests", tests=[TEN, "tests/test_new.py::test_new"])
    assert ran.text.startswith("2 passed"), ran.text
    assert shop.project.joinpath("tests/test_new.py").exists() is False


def test_the_draft_is_validated_as_before_a_commit(shop: Ward) -> None:
    hands, _ = shop.implementer("test_ten_kilograms", SCOPE)
    assert "nothing to validate" in hands.fails("validate")
    hands.does("edit_file", path=PRICE, old="weight_kg < 10", new="weight_kg < 9")
    wrong = hands.use("validate")
    hands.does("edit_file", path=PRICE, old="weight_kg < 9", new="weight_kg <= 10")
    right = hands.use("validate")

    assert wrong.text.startswith("It does not hold:\n- Does it pass alone? 1 red: ")
    assert "AssertionError: assert 2 == 1" in wrong.text
    assert right.text.startswith("It holds.")
    assert len(right.evidence) > len(wrong.evidence) == 1


def test_a_change_that_breaks_another_test_does_not_hold(shop: Ward) -> None:
    hands, _ = shop.implementer("test_ten_kilograms", SCOPE)
    hands.does("edit_file", path=PRICE, old="    return 2\n", new="    return 1\n")

    told = hands.does("validate")

    assert "- Do their files pass? 1 red: tests/test_parcels.py::test_a_heavy_order" in told


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("tests/test_parcels.py", "outside the plan's scope (shop/, tests/test_windows.py"),
        ("pyproject.toml", "outside the plan's scope"),
        ("shop/../pyproject.toml", ".."),
        ("./pyproject.toml", "outside the plan's scope"),
        (".git/hooks/post-commit", "git"),
        ("/etc/passwd", "absolute"),
        ("shop", "folder"),
    ],
)
def test_what_is_not_in_the_plan_cannot_be_edited_or_made(
    shop: Ward, path: str, reason: str
) -> None:
    hands, draft = shop.implementer("test_ten_kilograms", SCOPE)

    assert reason in hands.fails("edit_file", path=path, old="a", new="b")
    assert reason in hands.fails("create_file", path=path, text="x\n")
    assert draft.edits() == ()


def test_an_old_text_that_occurs_twice_needs_a_number(shop: Ward) -> None:
    hands, draft = shop.implementer("test_ten_kilograms", SCOPE)

    said = hands.fails("edit_file", path=PRICE, old="    return ", new="    yield ")
    assert "occurs 3 times, at lines 7, 13, 14." in said
    assert "only 3 times" in hands.fails(
        "edit_file", path=PRICE, old="    return ", new="    yield ", occurrence=4
    )
    hands.does("edit_file", path=PRICE, old="    return ", new="    yield ", occurrence=3)

    [edit] = draft.edits()
    assert edit.after.endswith("        return 1\n    yield 2\n")


def test_a_near_miss_is_answered_with_the_lines_and_what_differs(shop: Ward) -> None:
    hands, _ = shop.implementer("test_ten_kilograms", SCOPE)

    space = hands.fails("edit_file", path=PRICE, old="  if weight_kg < 10:\n  return 1", new="x")
    quotes = hands.fails(
        "edit_file", path=PRICE, old="    return os.environ.get('SHOP_REGION', 'US')", new="x"
    )
    typo = hands.fails("edit_file", path=PRICE, old="    if weigth_kg < 10:", new="x")
    nothing = hands.fails("edit_file", path=PRICE, old="class Zebra(Base): ...", new="x")

    assert "Near, at line 12:" in space
    assert '+     12\t"    if weight_kg < 10:"   (white space differs)' in space
    assert '+     13\t"        return 1"   (white space differs)' in space
    assert "(quotes differ)" in quotes
    assert "Near, at line 12:" in typo
    assert '-  yours\t"    if weigth_kg < 10:"' in typo
    assert nothing.endswith("Nothing like it is in the file; read the file again.")


def test_an_edit_that_changes_nothing_is_refused(shop: Ward) -> None:
    hands, _ = shop.implementer("test_ten_kilograms", SCOPE)

    assert "are the same" in hands.fails("edit_file", path=PRICE, old="US", new="US")
    assert "old:" in hands.fails("edit_file", path=PRICE, old="", new="US")


def test_line_ends_stay_as_the_file_has_them(shop: Ward) -> None:
    hands, draft = shop.implementer("test_ten_kilograms", SCOPE)
    old = "def test_crlf():\n    assert 1 + 1 == 2\n"

    hands.does("edit_file", path="tests/test_windows.py", old=old, new=old + "    assert True\n")

    [edit] = draft.edits()
    assert edit.after == "def test_crlf():\r\n    assert 1 + 1 == 2\r\n    assert True\r\n"
    assert hands.does("run_tests", tests=["tests/test_windows.py"]).startswith("1 passed")


def test_the_diff_shows_every_file_of_the_draft(shop: Ward) -> None:
    hands, _ = shop.implementer("test_ten_kilograms", SCOPE)
    assert hands.does("show_diff") == "Nothing is changed so far."
    hands.does("edit_file", path=PRICE, old="weight_kg < 10", new="weight_kg <= 10")
    hands.does("create_file", path="shop/empty.py", text="")

    assert hands.does("show_diff").splitlines() == [
        "/dev/null -> b/shop/empty.py: line ends or an empty file only",
        "--- a/shop/price.py",
        "+++ b/shop/price.py",
        "@@ -9,6 +9,6 @@",
        " ",
        " def parcels(weight_kg: int) -> int:",
        '     """A parcel holds up to 10 kg, 10 included."""',
        "-    if weight_kg < 10:",
        "+    if weight_kg <= 10:",
        "         return 1",
        "     return 2",
    ]


def test_a_file_that_exists_is_not_created_over(shop: Ward) -> None:
    hands, _ = shop.implementer("test_ten_kilograms", SCOPE)
    hands.does("create_file", path="shop/new.py", text="A = 1\n")

    assert "it exists" in hands.fails("create_file", path=PRICE, text="")
    assert "it exists" in hands.fails("create_file", path="shop/new.py", text="")
    assert "in the way" in hands.fails("create_file", path="shop/new.py/x.py", text="")


def test_a_deleted_file_is_gone_for_reads_searches_lists_and_runs(shop: Ward) -> None:
    hands, draft = shop.implementer("test_ten_kilograms", SCOPE)
    hands.does("delete_file", path=PRICE)

    assert "deleted in the draft" in hands.fails("read_file", path=PRICE)
    assert "deleted in the draft" in hands.fails("edit_file", path=PRICE, old="a", new="b")
    assert "0 matching" in hands.does("search", pattern="weight_kg", folder="shop")
    assert PRICE not in hands.does("list_files")
    assert hands.does("show_diff").startswith("--- a/shop/price.py\n+++ /dev/null\n")
    assert "ModuleNotFoundError" in hands.does("run_tests", tests=[TEN])
    hands.does("create_file", path=PRICE, text="A = 1\n")
    assert [edit.deleted for edit in draft.edits()] == [False]
    assert (shop.project / PRICE).exists()


@pytest.mark.parametrize("path", ["tests/test_parcels.py", "shop/none.py", ".git", "../x"])
def test_what_is_not_in_the_plan_cannot_be_deleted(shop: Ward, path: str) -> None:
    hands, draft = shop.implementer("test_ten_kilograms", SCOPE)

    assert "refused" in hands.fails("delete_file", path=path)
    assert draft.edits() == ()


def test_what_git_ignores_is_neither_shown_nor_searched_nor_edited(fresh_shop: Ward) -> None:
    hands, _ = fresh_shop.implementer("test_ten_kilograms", ("shop/",))
    (fresh_shop.project / "shop" / ".env").write_text("API_KEY = planted-secret\n")
    (fresh_shop.project / "shop" / "new.txt").write_text("planted-secret\n")

    told = [
        hands.fails("read_file", path="shop/.env"),
        hands.fails("read_file", path="shop/new.txt"),
        hands.fails("edit_file", path="shop/.env", old="API_KEY = x", new="y"),
        hands.fails("delete_file", path="shop/.env"),
        hands.does("list_files"),
        hands.does("search", pattern="secret"),
    ]

    assert all("git does not track it" in text for text in told[:4])
    assert "planted" not in "".join(told)
    assert ".env" not in "".join(told[4:])


def test_an_implementer_without_a_draft_of_the_plans_scope_gets_no_tools(shop: Ward) -> None:
    plan = shop.planned("test_ten_kilograms", SCOPE)

    with pytest.raises(ValueError, match="a draft with the plan's scope"):
        implementer_tools(shop.bench("test_ten_kilograms"), plan, ())
