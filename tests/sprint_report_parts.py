"""Takes a report apart again."""


def section(report: str, title: str) -> str:
    """Return the text under one heading of the second level."""
    return report.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
