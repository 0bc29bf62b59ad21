"""What a client answers to one fetch."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """A complete listing."""

    records: list[dict[str, Any]] = field(default_factory=list)
    walk: dict[str, Any] = field(default_factory=lambda: {"passes": 1})
    missing: bool = False
    pages: int = 1
    requests: int = 1
    request: dict[str, Any] = field(default_factory=dict)
    api: dict[str, Any] = field(default_factory=dict)
