"""Failures for want of a network: the name of a host was not found, or no way leads there.

A refused connection is not among them: whoever refuses is there, and a test's own server that did
not start is the test's affair.
"""

import re

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.runs import FailureDetail
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.inquiry import Inquiry

_UNREACHABLE = re.compile(
    r"gaierror|Name or service not known|Temporary failure in name resolution"
    r"|nodename nor servname|No address associated with hostname|getaddrinfo failed"
    r"|NameResolutionError|Failed to resolve|Network is unreachable|No route to host"
)
_HOST = re.compile(r"""host=['"]([\w.-]+)['"]|https?://([\w.-]+)|resolve ['"]([\w.-]+)['"]""")


def is_unreachable(failure: FailureDetail | None) -> bool:
    """Whether a failure says that a host could not be found or reached at all."""
    return failure is not None and bool(
        _UNREACHABLE.search(failure.type) or _UNREACHABLE.search(failure.message)
    )


def asks_the_network(inquiry: Inquiry) -> Finding | None:
    """Red in every run, because a host cannot be found from here: no fault of the code is shown."""
    failure = inquiry.failure()
    if failure is None or not inquiry.is_constant() or not is_unreachable(failure):
        return None
    found = _HOST.search(failure.message)
    host = next((name for name in found.groups() if name), "") if found else ""
    where = f"the host {host}" if host else "a host"
    inquiry.facts.add(Fact.UNREACHABLE)
    inquiry.notebook.write(
        "Does it fail for want of a network?",
        inquiry.lab.last_run([inquiry.victim], ALONE),
        inquiry.victim,
        f"{where[0].upper()}{where[1:]} cannot be found or reached from here. Whether it would "
        "pass with a network was not shown: there is none to try.",
    )
    return inquiry.finding(
        Category.INFRASTRUCTURE,
        Cause.NETWORK,
        f"{inquiry.victim} asks the network for {where}, which cannot be found or reached from "
        "here. Whether it would pass with a network was not shown.",
        missing=(host,) if host else (),
    )
