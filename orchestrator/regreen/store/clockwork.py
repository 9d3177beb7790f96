"""The time of day, as it is written into records."""

from datetime import UTC, datetime


def utc_now() -> str:
    """Return the present time, UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
