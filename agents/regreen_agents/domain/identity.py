"""Names and digests of things."""

import hashlib
import json
from typing import NewType

from pydantic import BaseModel, ConfigDict

NodeId = NewType("NodeId", str)
"""A pytest node id, relative to the root of the run: ``tests/test_a.py::test_b[x]``."""
PlanId = NewType("PlanId", str)
"""``PR1``, ``PR2``, ... in the order of the clusters."""
ClusterId = NewType("ClusterId", str)
"""``C1``, ``C2``, ... largest cluster first."""
SprintId = NewType("SprintId", str)
"""The sprint's UTC stamp, ``20261122T101500Z``, also its folder's name."""
Digest = NewType("Digest", str)
"""``sha256:`` and 64 hexadecimal digits."""


class Model(BaseModel):
    """Base of every value at a boundary: frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def digest_of(content: bytes | str) -> Digest:
    """Return the digest of bytes, or of a text's UTF-8 form (lone surrogates kept)."""
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return Digest("sha256:" + hashlib.sha256(raw).hexdigest())


def canonical_json(model: BaseModel) -> str:
    """Return the model as JSON with sorted keys and no spaces, the form digests are taken of."""
    return json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
