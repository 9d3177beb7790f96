"""What the report says about the suite: fixed, worse, flaky, slow, alone against full."""

import re

from regreen.reports.summary import sprint_report
from regreen.store.record import Baseline, SprintRecord
from regreen_agents.domain.runs import Disturbance, Factor, OrderKind, RunSpec
from sprint_records import gated, measured, merged, started
from sprint_report_parts import section
from suite_runs import AFTER, ALONE, BEFORE, BRITTLE, BUG, OK, REFUSED, VICTIM, isolated, run, runs


def test_a_skipped_or_vanished_test_is_not_fixed() -> None:
    for letter in ("S", "?", "x", "-"):
        table = AFTER | {VICTIM: "PP" + letter}
        record = gated().model_copy(update={"candidate_runs": runs(table)})

        report = sprint_report(record)

        assert f"| `{VICTIM}` |" in section(report, "Failures that were there before this sprint")
        assert "| PR1 | 1 | 0 |" in section(report, "Predicted and actual")


def test_a_test_that_failed_only_alone_is_not_shown_fixed_by_full_runs() -> None:
    without = sprint_report(gated())
    alone = isolated(dict.fromkeys(ALONE, "P"))
    with_alone = sprint_report(
        gated().model_copy(update={"candidate_runs": (*gated().candidate_runs, alone)})
    )

    title = "Failures that were there before this sprint"
    assert f"| `{BRITTLE}` |" in section(without, title)
    assert f"| `{BRITTLE}` |" not in section(with_alone, title)
    assert "(full runs only)" in section(without, "Before and after")


def test_alone_against_full_suite_says_when_they_disagree() -> None:
    report = section(sprint_report(measured()), "Alone and in the full suite")

    assert "**Isolated validation does not predict the full suite:** 2 of 7 tests" in report
    assert f"| `{VICTIM}` | P | P F P | disagree |" in report
    assert f"| `{BRITTLE}` | F | P P P | fails alone only |" in report
    assert f"| `{BUG}` | F | F F F | agree |" in report


def test_alone_against_full_suite_says_when_they_agree() -> None:
    baseline = Baseline(
        commit="b" * 40, runs=runs({OK: "PP", BUG: "FF"}), isolated=isolated({OK: "P", BUG: "F"})
    )
    record = started().model_copy(update={"baseline": baseline})

    text = section(sprint_report(record), "Alone and in the full suite")

    assert "does not predict" not in text
    assert "the tests agree (0 of 2 tests run alone differ)" in text


def test_preexisting_failures_name_the_line_inside_the_tree() -> None:
    text = section(sprint_report(merged()), "Failures that were there before this sprint")

    assert "Not caused by this work" in text
    assert f"| `{REFUSED}` | `tests/test_f.py:12` |" in text
    assert "F F F | not fixed | pre-existing |" in text
    assert f"`{VICTIM}`" not in text


def test_tests_that_got_worse_are_named_by_kind() -> None:
    table = AFTER | {OK: "PFP", BRITTLE: "P?P", VICTIM: "SSS"}
    record = gated().model_copy(update={"candidate_runs": runs(table)})

    report = sprint_report(record)

    text = section(report, "Failures that were there before this sprint")
    assert f"| `{OK}` | newly failing |" in text
    assert f"| `{BRITTLE}` | vanished |" in text
    assert f"| `{VICTIM}` | newly skipped |" in text
    assert "(failing, vanished, skipped): **no**" in section(report, "Success checklist")


def test_the_flakiness_list_names_outcomes_and_the_interval() -> None:
    flaky = section(sprint_report(measured()), "Performance & Flakiness")
    calm = section(sprint_report(merged()), "Performance & Flakiness")

    assert f"| `{VICTIM}` | P F P | 1/3 (6%-79% at 95 %) | status |" in flaky
    assert "**Flakiness:** OK: every test has the same signature in all 3 full runs." in calm


def test_one_run_cannot_show_that_nothing_is_flaky() -> None:
    record = gated().model_copy(update={"candidate_runs": (run({OK: "P"}),)})

    report = sprint_report(record)

    assert "**Flakiness:** not shown (1 full run)." in report
    assert "- [ ] No test is flaky in the candidate: not shown" in report


def test_a_changed_warning_count_changes_the_signature() -> None:
    first, second = runs({OK: "PP"})
    noisy = second.results[0].model_copy(update={"warning_count": 2})
    record = gated().model_copy(
        update={"candidate_runs": (first, second.model_copy(update={"results": (noisy,)}))}
    )

    text = section(sprint_report(record), "Performance & Flakiness")

    assert "0 flaky tests; 1 test with more than one signature" in text
    assert f"| `{OK}` | P P | 0/2 | counts or kind only |" in text


def test_the_slowest_ten_are_sorted() -> None:
    many = {f"tests/test_m.py::test_{n:02d}": "P" for n in range(15)}
    record = gated().model_copy(update={"candidate_runs": (run(many),)})  # type: ignore[arg-type]

    text = section(sprint_report(record), "Performance & Flakiness")

    times = [float(t) for t in re.findall(r"\| ([\d.]+) s \|", text)]
    assert len(times) == 10
    assert times == sorted(times, reverse=True)
    assert "Slowest 10 of 15 tests" in text


def test_a_partial_run_is_not_taken_for_the_whole_suite() -> None:
    part = run({VICTIM: "F"})
    part = part.model_copy(update={"spec": part.spec.model_copy(update={"tests": (VICTIM,)})})
    record = gated().model_copy(update={"candidate_runs": (*runs(AFTER), part)})

    report = sprint_report(record)

    assert "| Full runs | 3 | 3 |" in report
    assert "vanished and newly skipped: 0" in report


def test_before_counts_the_first_run_in_file_order() -> None:
    files, *others = runs(BEFORE)
    baseline = Baseline(commit="b" * 40, runs=(*others, files))
    record = started().model_copy(update={"baseline": baseline})

    assert "| Passed | 4 (57.1 %) | not shown |" in sprint_report(record)


def measured_with(**changes: object) -> SprintRecord:
    """Return a record of a base alone: runs, sweeps, guards."""
    values = {"commit": "b" * 40, "runs": runs({OK: "PP", BUG: "PP"})}
    return started().model_copy(update={"baseline": Baseline.model_validate(values | changes)})


def performance(record: SprintRecord) -> str:
    return section(sprint_report(record), "Performance & Flakiness")


def test_the_matrix_counts_the_ends_alone_and_in_the_suite() -> None:
    text = section(sprint_report(measured()), "Alone and in the full suite")

    assert "| Alone / in the suite | passes | fails | not measured |" in text
    assert "| **passes** | 2 | 1 | 0 |" in text
    assert "| **fails** | 1 | 2 | 0 |" in text


def test_settings_that_were_tried_are_told_with_what_they_flip() -> None:
    factors = (Factor(name="locale", value="C"), Factor(name="date", value="+40d"))
    twice = run({OK: "P", BUG: "F"}, order=OrderKind.ISOLATED)
    sweeps = (
        twice.model_copy(update={"spec": RunSpec(order=OrderKind.ISOLATED, repeats=2)}),
        run({OK: "P", BUG: "P"}).model_copy(update={"spec": RunSpec(factors=factors)}),
    )

    text = performance(measured_with(sweeps=sweeps))

    assert f"| when it runs twice in a row | 2 | `{BUG}` |" in text
    assert "| with locale=C, with date=+40d (together) | 2 | none |" in text
    assert "**In changed settings (base):** none was tried." in performance(measured())


def test_what_the_guards_told_is_listed_and_its_absence_is_no_clearance() -> None:
    first, second = runs({OK: "PP"})
    told = Disturbance(where=OK, kind="cwd", what="left the folder at '<tmp>/|x'")

    def report(found: tuple[Disturbance, ...] | None) -> str:
        guarded = first.model_copy(update={"disturbances": found})
        return performance(measured_with(runs=(guarded, second)))

    assert f"| `{OK}` | cwd | left the folder at" in report((told,))
    assert "**Surroundings left changed (base):** 1 test named." in report((told,))
    assert "and 5 more" in report((told,) * 25)
    assert "none: every test left folder, environment and files as they were." in report(())
    assert "**Surroundings left changed (base):** not shown, no run was guarded." in report(None)


def test_memory_and_a_slow_test_are_told_with_commands() -> None:
    calm = run({OK: "P", BUG: "P", VICTIM: "P"})
    slow, second, third = calm.results
    results = (
        second.model_copy(update={"position": 0, "peak_rss_kib": 50_000}),
        slow.model_copy(
            update={
                "position": 1,
                "duration_seconds": 40.0,
                "cpu_seconds": 2.5,
                "peak_rss_kib": 60_240,
            }
        ),
        third.model_copy(update={"position": 2, "peak_rss_kib": 60_300}),
    )

    text = performance(measured_with(runs=(calm.model_copy(update={"results": results}),)))

    assert f"| `{OK}` | 40.00 s | 2.50 s | 1 |" in text
    assert f"| `{OK}` | 10.0 MiB |" in text
    assert text.count("MiB |") == 1
    assert "By file: `tests/test_a.py` 40.00 s (97 %)" in text
    assert f"python -m pytest -q {OK}\n" in text
    assert f"python -m pytest -q --deselect={OK}\n" in text
