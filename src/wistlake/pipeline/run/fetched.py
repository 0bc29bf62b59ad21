"""What a run has fetched: figures by dataset and media, what the source does not have, and new payload fields."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from wistlake.bronze import Confirmation, Manifest
from wistlake.errors import WistlakeError
from wistlake.planning.intervals import Interval

Key = tuple[str, str, date]
Pair = tuple[str, str]


@dataclass(slots=True)
class Ingested:
    """What one ingest did, by interval (dataset, media, day) or by (dataset, media)."""

    intervals: dict[Key, Interval] = field(default_factory=dict)
    manifests: dict[Key, Manifest] = field(default_factory=dict)
    errors: dict[Pair, WistlakeError] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    unknown_keys: dict[str, set[str]] = field(default_factory=dict)
    requests: dict[Pair, int] = field(default_factory=dict)
    pages: dict[Pair, int] = field(default_factory=dict)
    seconds: dict[Pair, float] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)  # snapshots that still stand, by dataset
    confirmed: list[Confirmation] = field(default_factory=list)
    listed: int = 0  # sessions in listings of the whole account
    followed: int = 0  # of them, those of followed media


@dataclass(slots=True)
class FetchLine:
    """One dataset of one media: a line of the run's report. Row counts from `new` on come from the build."""

    dataset: str
    media_id: str
    days: int = 0
    pages: int = 0
    requests: int = 0
    rows: int = 0
    new: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    seconds: float = 0.0

    def add(self, counts: Mapping[str, Any]) -> None:
        """Add figures by the names of the fields."""
        for name, count in counts.items():
            setattr(self, name, round(getattr(self, name) + count, 3))


@dataclass(slots=True)
class FetchSummary:
    """The figures of all fetches of a run. `unavailable` says by dataset what the source does not have;
    `unknown_keys` are payload fields that no contract has; `carried` counts by dataset the snapshots that still stand,
    since nothing moved at their media. What a listing of many media cost is in a line of the account.
    """

    lines: dict[Pair, FetchLine] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    unknown_keys: dict[str, set[str]] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, ingested: Ingested) -> "FetchSummary":
        """The figures of one ingest."""
        summary = cls(
            unavailable=dict(ingested.unavailable),
            unknown_keys={k: set(v) for k, v in ingested.unknown_keys.items()},
            carried=dict(ingested.carried),
        )
        for key, interval in sorted(ingested.intervals.items()):
            rows = interval.rows if key in ingested.manifests else 0
            summary.line(*key[:2]).add({"days": 1, "rows": rows})
        for pair, requests in ingested.requests.items():
            spent = {"pages": ingested.pages.get(pair, 0), "seconds": ingested.seconds.get(pair, 0.0)}
            summary.line(*pair).add({"requests": requests, **spent})
        return summary

    def line(self, dataset: str, media_id: str) -> FetchLine:
        """The line of the pair; a new one has zeros."""
        return self.lines.setdefault((dataset, media_id), FetchLine(dataset, media_id))

    def add(self, other: "FetchSummary") -> None:
        """Add the figures of another step, or of another round of this one."""
        for pair, line in other.lines.items():
            counts = {k: v for k, v in asdict(line).items() if k not in ("dataset", "media_id")}
            self.line(*pair).add(counts)
        self.unavailable |= other.unavailable
        for dataset, keys in other.unknown_keys.items():
            self.unknown_keys.setdefault(dataset, set()).update(keys)
        for dataset, count in other.carried.items():
            self.carried[dataset] = self.carried.get(dataset, 0) + count
