"""JUnit XML as tools write it, and as it must not hurt us: broken, huge, hostile, badly encoded."""

import resource
from pathlib import Path

import pytest

from regreen_agents.domain.runs import Outcome
from regreen_agents.runners.junit_cases import named, results_of, seconds_of, wanted
from regreen_agents.runners.junit_command import Reports, Wanted, filled_command
from regreen_agents.runners.junit_report import MAX_ELEMENT, Report, read_report
from regreen_agents.runners.suites import Suite

SUREFIRE = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="shop.PriceTest"
  time="1,234.5"  tests="5" errors="1" skipped="1" failures="2">
  <properties><property name="java.version" value="17"/></properties>
  <testcase name="adds" classname="shop.PriceTest" time="0.012"/>
  <testcase name="rounds" classname="shop.PriceTest" time="1,234.5">
    <failure message="expected:&lt;20&gt; but was:&lt;10&gt;" type="AssertionFailedError"><![CDATA[
AssertionFailedError: expected:<20> but was:<10>
\tat org.junit.Assert.fail(Assert.java:86)
\tat shop.Price.round(Price.java:30)
\tat shop.PriceTest.rounds(PriceTest.java:12)
]]></failure>
    <rerunFailure message="again" type="AssertionFailedError"><stackTrace>again</stackTrace>
      <system-out>of the second time</system-out></rerunFailure>
    <system-out>asked for 15</system-out>
  </testcase>
  <testcase name="flakes" classname="shop.PriceTest" time="0.5">
    <flakyFailure message="rain" type="Weather"><stackTrace>rain</stackTrace></flakyFailure>
  </testcase>
  <testcase name="breaks" classname="shop.PriceTest" time="0">
    <error type="java.lang.NullPointerException"/>
  </testcase>
  <testcase name="waits" classname="shop.PriceTest" time="0">
    <skipped message="not today"/>
  </testcase>
</testsuite>
"""


def report_of(tmp_path: Path, text: str | bytes) -> Report:
    path = tmp_path / "report.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_report(path)


def names(report: Report) -> list[str]:
    return [case.name for case in report.cases]


def test_surefire_is_read_with_failures_errors_skips_and_retries(tmp_path: Path) -> None:
    java = {"src/main/java/shop/Price.java", "src/test/java/shop/PriceTest.java"}
    for name in java:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()

    told = results_of(named(report_of(tmp_path, SUREFIRE).cases, tmp_path), tmp_path)

    outcomes = {r.node_id.partition("::")[2]: r.outcome.value for r in told.results}
    assert outcomes == {
        "adds": "passed",
        "rounds": "failed",
        "flakes": "failed",
        "breaks": "error",
        "waits": "skipped",
    }
    assert told.retried == 1
    rounds = told.results[1]
    assert rounds.node_id == "shop.PriceTest::rounds"
    assert rounds.duration_seconds == 1234.5
    assert rounds.failure is not None
    assert rounds.failure.message == "expected:<20> but was:<10>"
    assert rounds.failure.output_tail == "asked for 15"
    assert [(f.path, f.line, f.function) for f in rounds.failure.frames] == [
        ("src/test/java/shop/PriceTest.java", 12, "rounds"),
        ("src/main/java/shop/Price.java", 30, "round"),
    ]
    assert told.results[4].skip_reason == "not today"


def test_ids_tell_tests_of_one_name_apart_and_can_be_taken_apart_again(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        '<testsuites><testcase name="adds" classname="test"/>'
        '<testsuite name="sub"><testcase name="adds" classname="test"/>'
        '<testcase name="adds" classname="test"/></testsuite>'
        f'<testsuite name="s" file="{tmp_path}/t/a.js"><testcase name="x::y"/></testsuite>'
        '<testcase name="tests::it" classname="shop::orders"/><testcase/></testsuites>',
    )

    ids = [one.node_id for one in named(report.cases, tmp_path)]

    assert ids == [
        "test::adds",
        "sub::adds",
        "sub::adds ~2",
        "t/a.js > s::x::y",
        "shop%3A%3Aorders::tests::it",
        "tests::unnamed",
    ]
    assert wanted(ids[4]) == Wanted(ids[4], "shop::orders", "tests::it")
    assert wanted(ids[2]).name == "adds"


@pytest.mark.parametrize("cut", [0.3, 0.55, 0.8, 0.97])
def test_a_report_that_breaks_off_keeps_what_stood_before_and_is_no_green(
    tmp_path: Path, cut: float
) -> None:
    report = report_of(tmp_path, SUREFIRE[: int(len(SUREFIRE) * cut)])

    told = results_of(named(report.cases, tmp_path), tmp_path).results

    assert report.problem
    assert set(names(report)) <= {"adds", "rounds", "flakes", "breaks", "waits"}
    assert all(r.outcome is not Outcome.PASSED or r.node_id.endswith("adds") for r in told)


def test_the_case_the_file_ends_in_has_crashed(tmp_path: Path) -> None:
    text = '<testsuite><testcase name="a"/><testcase name="b"><system-out>hel'

    told = results_of(named(report_of(tmp_path, text).cases, tmp_path), tmp_path).results

    assert [r.outcome for r in told] == [Outcome.PASSED, Outcome.CRASHED]


BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY c "&a;&a;">]><s><testcase name="&c;"/></s>'
OUTSIDE = '<!DOCTYPE b SYSTEM "file:///etc/passwd"><testsuite><testcase name="a"/></testsuite>'


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, "<!DOCTYPE html><html/>"])
def test_a_document_type_is_refused_before_anything_is_read(tmp_path: Path, text: str) -> None:
    report = report_of(tmp_path, text)

    assert report.cases == []
    assert "document type" in report.problem


@pytest.mark.parametrize("text", ["", "not xml", "<html></html>", "<testsuite>", "\x00\x00"])
def test_what_is_no_report_has_no_cases(tmp_path: Path, text: str) -> None:
    report = report_of(tmp_path, text)

    assert report.cases == []
    assert report.problem or text == "<html></html>"


def test_bytes_and_characters_xml_forbids_are_replaced(tmp_path: Path) -> None:
    body = b'<testcase name="a\xff"/><testcase name="\x1b[31mred"/><testcase name="&#x1b;&#65;"/>'

    report = report_of(tmp_path, b'<?xml version="1.0" encoding="utf-8"?><s>' + body + b"</s>")

    assert report.problem == ""
    assert names(report) == ["a\ufffd", "\ufffd[31mred", "\ufffdA"]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-16", "utf-16"), ("latin-1", "ISO-8859-1"), ("utf-8-sig", "utf-8"), ("utf-8", "klingon")],
)
def test_other_encodings_are_read(tmp_path: Path, encoding: str, declared: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?><testcase name="größer"/>'

    assert names(report_of(tmp_path, text.encode(encoding))) == ["größer"]


def test_references_at_the_seam_of_two_pieces_survive(tmp_path: Path) -> None:
    for padding in range(262144 - 40, 262144 - 10, 3):
        text = "<s>" + " " * padding + '<testcase name="a&amp;&#66;&#x1b;c"/></s>'

        assert names(report_of(tmp_path, text)) == ["a&B\ufffdc"]


def test_an_endless_element_and_endless_nesting_are_given_up(tmp_path: Path) -> None:
    endless = '<testsuite><testcase name="a"/><testcase name="' + "x" * 2 * MAX_ELEMENT
    deep = '<testsuite><testcase name="a"/>' + "<testsuite>" * 5_000

    assert "larger than" in report_of(tmp_path, endless + '"/></testsuite>').problem
    assert "deep" in report_of(tmp_path, deep).problem
    assert names(report_of(tmp_path, deep)) == ["a"]


def test_a_huge_report_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    noise = "y" * 1023 + "\n"
    with path.open("w") as file:
        file.write("<testsuite>")
        for number in range(20):
            file.write(f'<testcase name="t{number}"><system-out>{noise * 2000}</system-out>')
            file.write("</testcase>")
        file.write("</testsuite>")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    report = read_report(path)

    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert path.stat().st_size > 40_000_000
    assert len(report.cases) == 20
    assert all(len(case.output) == 65536 for case in report.cases)
    assert grown_kib < 20_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0.5", 0.5), ("1,234.5", 1234.5), ("0,012", 0.012), ("12,345,678", 12345678.0), ("", 0.0),
     ("-1", 0.0), ("nan", 0.0), ("inf", 0.0), ("soon", 0.0), (" 3 ", 3.0)],
)  # fmt: skip
def test_durations_are_read_whatever_the_locale(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_a_status_without_a_child_is_believed(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        '<s><testcase name="a" status="failed"/><testcase name="b" status="notrun"/>'
        '<testcase name="c" status="run"/><testcase name="d"><skipped type="todo"/>'
        '<failure/></testcase><testcase name="e"><skipped/><error message="torn down"/>'
        "</testcase></s>",
    )

    told = results_of(named(report.cases, tmp_path), tmp_path).results

    assert [r.outcome.value for r in told] == ["failed", "skipped", "passed", "xfailed", "error"]


def test_chosen_tests_go_into_the_command_one_by_one_or_joined() -> None:
    tests = [Wanted("S::a+b", "S", "a+b"), Wanted("S::c", "S", "c")]
    words = Suite(runner="junit", command=("run", "{tests}"), select="{classname}#{name}")
    joined = Suite(
        runner="junit",
        command=("run", "--only=^({tests})$", "-v"),
        select="{name_regex}",
        select_separator="|",
    )

    assert filled_command(words, tests) == ("run", "S#a+b", "S#c")
    assert filled_command(joined, tests) == ("run", r"--only=^(a\+b|c)$", "-v")
    assert filled_command(joined, None) == ("run", "-v")


def test_reports_of_an_earlier_run_and_outside_the_tree_are_not_taken(tmp_path: Path) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "other.xml"
    (tree / "target").mkdir(parents=True)
    outside.write_text("<s/>")
    (tree / "target" / "link.xml").symlink_to(outside)
    (tree / "target" / "old.xml").write_text("<s/>")
    suite = Suite(runner="junit", command=("x",), junit="target/*.xml")
    reports = Reports(tmp_path / "scratch", suite)

    reports.clear(tree)
    (tree / "target" / "new.xml").write_text("<s/>")

    assert reports.found(tree) == [tree / "target" / "new.xml"]
    assert outside.exists()
