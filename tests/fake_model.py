"""Talk to the fake model as a program does: with the real SDK, or by bare HTTP."""

import http.client
import json
import ssl
from urllib.parse import urlsplit

import anthropic
import httpx2
from pydantic import JsonValue

from regreen_agents.llm.fake import FakeServer, Scenario, parse_scenario

KEY = "sk-fake-planted-key-0123456789"
MODEL = "claude-sonnet-5-5"
TIME_LIMIT_SECONDS = 30.0
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loopback is plain HTTP; to load the machine's certificates for each client takes long."""


def scenario(text: str) -> Scenario:
    """Return a scenario written in a test."""
    return parse_scenario(text, "scenario.yaml")


def client(
    server: FakeServer, *, timeout_seconds: float = TIME_LIMIT_SECONDS
) -> anthropic.Anthropic:
    """Return the SDK's client for a server; it does not retry and asks no proxy."""
    return anthropic.Anthropic(
        api_key=KEY,
        base_url=server.url,
        max_retries=0,
        timeout=timeout_seconds,
        http_client=httpx2.Client(trust_env=False, verify=NO_CERTIFICATES),
    )


def ask(server: FakeServer, text: str = "Hello.") -> anthropic.types.Message:
    """Ask one question as a new conversation, streamed."""
    with (
        client(server) as sdk,
        sdk.messages.stream(
            model=MODEL, max_tokens=100, messages=[{"role": "user", "content": text}]
        ) as stream,
    ):
        return stream.get_final_message()


def post(
    server: FakeServer, body: JsonValue | bytes, path: str = "/v1/messages", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send bare HTTP; return status, headers with small names, and the body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}
    sent |= {name.replace("_", "-"): text for name, text in headers.items()}
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=TIME_LIMIT_SECONDS)
    try:
        connection.request("POST", path, raw, {n: t for n, t in sent.items() if t})
        answer = connection.getresponse()
        return answer.status, {n.lower(): t for n, t in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def question(text: str = "Hello.", /, **more: JsonValue) -> dict[str, JsonValue]:
    """Return the smallest request there is, with more in it."""
    asked: dict[str, JsonValue] = {
        "model": MODEL,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": text}],
    }
    return asked | more
