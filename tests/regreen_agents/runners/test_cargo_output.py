"""What libtest prints, read as text: whole, noisy, broken off, old and new."""

from pathlib import Path

from regreen_agents.runners.cargo_output import Places, Printed, read_printed

TREE = Path("/w")
PLACES = Places(TREE, TREE / "crates" / "shop")
NAMES = ("tests::a", "tests::b", "tests::c", "tests::d")
FAILURES = """
failures:

---- tests::b stdout ----
asked for 15

thread 'tests::b' (123) panicked at crates/shop/src/lib.rs:6:45:
assertion `left == right` failed: why 4
  left: 2
 right: 3
stack backtrace:
   0: __rustc::rust_begin_unwind
             at /rustc/59807616e1/library/std/src/panicking.rs:689:5
   1: till::price
             at /w/crates/till/src/lib.rs:30:9
   2: shop::tests::b
             at ./src/lib.rs:6:45
   3: shop::tests::b::{{closure}}
             at ./src/lib.rs:5:1
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.


failures:
    tests::b

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.11s

"""


def read(text: str) -> Printed:
    return read_printed(text, NAMES, PLACES)


def test_every_end_is_read_with_its_reason_and_its_panic() -> None:
    lines = "test tests::a ... ok\ntest tests::b ... FAILED\ntest tests::c ... ignored, slow\n"

    printed = read(f"\nrunning 4 tests\n{lines}test tests::d ... ok\n{FAILURES}")

    assert printed.ended == {
        "tests::a": "ok",
        "tests::b": "FAILED",
        "tests::c": "ignored",
        "tests::d": "ok",
    }
    assert printed.is_whole
    assert printed.reasons == {"tests::c": "slow"}
    failure = printed.failures["tests::b"]
    assert failure.message == "assertion `left == right` failed: why 4\n  left: 2\n right: 3"
    assert [(f.path, f.line, f.function) for f in failure.frames] == [
        ("crates/shop/src/lib.rs", 6, "b"),
        ("crates/till/src/lib.rs", 30, "price"),
    ]
    assert failure.output_tail.startswith("asked for 15")


def test_what_a_test_writes_into_the_lines_changes_no_outcome() -> None:
    noise = (
        "test tests::a ... noise FAILED\ndirect\nok\n"
        "test tests::b ... test nobody::knows ... ok\nok\nFAILED\n"
        "test tests::c ... ignored\ntest tests::d ... half a lineok\n"
    )

    printed = read(noise + FAILURES)

    assert list(printed.ended.values()) == ["ok", "FAILED", "ignored", "ok"]
    assert printed.is_whole


def test_the_closing_list_overrules_a_line_that_was_written_over() -> None:
    lines = "test tests::a ... ok\ntest tests::b ... ok\ntest tests::c ... ignored\n"

    printed = read(lines + "test tests::d ... ok\n" + FAILURES)

    assert printed.ended["tests::b"] == "FAILED"
    assert printed.is_whole


def test_counts_that_do_not_agree_are_told() -> None:
    printed = read("test tests::a ... ok\n" + FAILURES)

    assert not printed.is_whole


def test_the_test_that_ran_at_a_death_is_the_one_without_an_end() -> None:
    printed = read("running 4 tests\ntest tests::a ... ok\ntest tests::b ... and then silence")

    assert printed.ended == {"tests::a": "ok"}
    assert printed.running == "tests::b"
    assert not printed.is_whole


def test_an_old_panic_message_is_read_on_one_line() -> None:
    printed = read(
        "test tests::b ... FAILED\n\nfailures:\n\n---- tests::b stdout ----\n"
        "thread 'tests::b' panicked at 'no price', src/lib.rs:10:5\n"
        "note: run with `RUST_BACKTRACE=1`\n\n\nfailures:\n    tests::b\n\n"
        "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
    )

    failure = printed.failures["tests::b"]
    assert (failure.message, failure.type) == ("no price", "panic")
    assert [(f.path, f.line) for f in failure.frames] == [("src/lib.rs", 10)]


def test_missing_panics_other_panics_and_errors_are_told_apart() -> None:
    body = (
        "test tests::a - should panic ... FAILED\r\ntest tests::b - should panic ... FAILED\r\n"
        "test tests::c ... FAILED\r\n\r\nfailures:\r\n\r\n---- tests::a stdout ----\r\n"
        "note: test did not panic as expected at crates/shop/src/lib.rs:10:32\r\n"
        "---- tests::b stdout ----\r\n\r\n"
        "thread 'tests::b' (1) panicked at crates/shop/src/lib.rs:11:59:\r\ny\r\n"
        'note: panic did not contain expected string\r\n      panic message: "y"\r\n'
        '---- tests::c stdout ----\r\nError: "no"\r\n\r\n\r\nfailures:\r\n    tests::a\r\n'
        "    tests::b\r\n    tests::c\r\n\r\n"
        "test result: FAILED. 0 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out\r\n"
    )

    failures = read(body).failures

    assert failures["tests::a"].type == "should_panic"
    assert failures["tests::a"].frames[0].line == 10
    assert failures["tests::b"].message.startswith("panic did not contain expected string")
    assert (failures["tests::c"].type, failures["tests::c"].message) == ("Error", '"no"')


def test_the_tests_own_thread_is_blamed_before_one_it_started() -> None:
    section = (
        "thread '<unnamed>' (2) panicked at crates/shop/src/lib.rs:14:51:\nin thread\n\n"
        "thread 'tests::b' (1) panicked at crates/shop/src/lib.rs:15:79:\nit failed\n"
    )
    body = f"test tests::b ... FAILED\n\nfailures:\n\n---- tests::b stdout ----\n\n{section}"

    failure = read(body).failures["tests::b"]

    assert failure.message == "it failed"
    assert failure.frames[0].line == 15
