"""A pytest plugin of the benchmarks: runs a suite in an order, under seeds, or tests repeatedly.

It runs in the interpreter of the project and is told what to do by ``BENCH_JOB``, a JSON file:
``order`` (node ids) or ``shuffle`` (a number), ``seed``, ``repeat`` (times; each with its own seed
when ``seeds`` is true), ``listing`` (``sorted``, ``reversed`` or a number), ``out`` (the file for
the outcomes).
"""

import json
import os
import random

import pytest
from _pytest.runner import runtestprotocol

JOB = json.load(open(os.environ["BENCH_JOB"]))  # noqa: PTH123, SIM115 - plain, in any interpreter
SEEN: dict = {}
"""Node id -> an outcome per time it ran."""


def pytest_configure():
    if JOB.get("listing") is not None:
        _mix_listings(JOB["listing"])
    if JOB.get("seed") is not None:
        _seed(JOB["seed"])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    if JOB.get("order"):
        by_id = {item.nodeid: item for item in items}
        items[:] = [by_id[name] for name in JOB["order"] if name in by_id]
    elif JOB.get("shuffle") is not None:
        random.Random(JOB["shuffle"]).shuffle(items)


def pytest_runtest_protocol(item, nextitem):
    times = JOB.get("repeat", 1)
    for number in range(times):
        if JOB.get("seeds"):
            _seed(number)
        following = nextitem if times == 1 else None
        reports = runtestprotocol(item, nextitem=following, log=False)
        SEEN.setdefault(item.nodeid, []).append(_outcome(reports))
    return True


def pytest_collectreport(report):
    if report.failed:
        SEEN.setdefault(report.nodeid, []).append("error")


def pytest_sessionfinish():
    with open(JOB["out"], "w") as file:  # noqa: PTH123
        json.dump(SEEN, file)


def _outcome(reports):
    for report in reports:
        if report.failed:
            return "failed"
        if report.skipped:
            return "skipped"
    return "passed"


def _seed(number):
    random.seed(number)
    numpy = __import__("sys").modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(number)


def _mix_listings(how):
    plain_list, plain_scan = os.listdir, os.scandir

    def mixed(entries, key):
        entries = sorted(entries, key=key)
        if how in ("sorted", "reversed"):
            return entries if how == "sorted" else entries[::-1]
        random.Random(how).shuffle(entries)
        return entries

    class Scan(list):
        def __enter__(self):
            return self

        def __exit__(self, *rest):
            return None

        def close(self):
            pass

    os.listdir = lambda *a, **k: mixed(plain_list(*a, **k), str)
    os.scandir = lambda *a, **k: Scan(mixed(plain_scan(*a, **k), lambda entry: str(entry.name)))
