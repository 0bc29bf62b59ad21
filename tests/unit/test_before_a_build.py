"""What is checked before a build: whether settled days stay as they were, and whether every dataset still comes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from support.memory import MemoryObjects
from wistlake.channel_rules import Rule
from wistlake.contracts import source
from wistlake.pipeline.run.pending import assemble
from wistlake.pipeline.run.raw_pages import RawPages
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.labels import Labels, MediaLabels
from wistlake.planning.plan import Window
from wistlake.quality.checks import FRESHNESS, SETTLED_DAYS, Finding
from wistlake.zones import zone

NOW = datetime(2026, 3, 20, 2, 15, tzinfo=UTC)
DAY, YESTERDAY = date(2026, 3, 4), date(2026, 3, 19)
SOURCES = tuple(source(name) for name in ("media_stats", "media_by_date", "events", "visitors"))
MEDIA = (MediaEntry("m1", DAY, NOW), MediaEntry("m2", DAY, NOW), MediaEntry("gone", DAY, NOW, retired_at=NOW))


def interval(dataset: str, media_id: str = "m1", day: date = DAY, **more: Any) -> Interval:
    """A day that silver was built from, and raw pages of which are gone: nothing waits for a build."""
    plain = Interval(
        dataset, media_id, day, State.PUBLISHED, "run", NOW, landing_id="x", observed_at=NOW, finished=True,
        built_signature="an older one",
    )  # fmt: skip
    return replace(plain, **more)


def gold(certificate: str = "settled", state: State = State.PUBLISHED, day: date = DAY) -> Interval:
    return Interval("gold", "m1", day, state, "run", NOW, reason=certificate, built_signature="UTC")


def findings(*intervals: Interval, check: str, zone_name: str = "UTC") -> dict[str, Finding]:
    window = Window(NOW, zone(zone_name), 7)
    spec = RunSpec("run", "scheduled", "live", zone_name, window, SOURCES, MediaChoice(("m1",)))
    plan = assemble(spec, MEDIA, LedgerView(intervals), RawPages(MemoryObjects()), (b"key",))
    assert plan.landings == ()
    return {f.table: f for f in plan.findings if f.check == check}


def test_a_settled_day_that_was_read_again_is_held_against_what_it_said() -> None:
    read = (interval("events"), interval("media_by_date", moved_at=NOW), interval("media_stats"))
    found = findings(*read, gold(), check=SETTLED_DAYS)
    assert {name: (f.checked, f.violations) for name, f in found.items()} == {
        "events": (1, 0),
        "media_by_date": (1, 1),
    }
    assert "m1 2026-03-04" in found["media_by_date"].detail


@pytest.mark.parametrize(
    ("of_gold", "changes"),
    [
        (gold("provisional"), {}),
        (gold(""), {}),
        (gold(state=State.PLANNED), {}),
        (gold(day=DAY + timedelta(days=1)), {}),
        (gold(), {"media_id": "m2"}),
        (gold(), {"observed_at": NOW - timedelta(days=1)}),  # not by this run
    ],
)
def test_days_that_had_not_settled_or_were_not_read_say_nothing(
    of_gold: Interval, changes: dict[str, Any]
) -> None:
    read = (interval("events", **changes), interval("media_by_date", **changes))
    assert findings(*read, of_gold, check=SETTLED_DAYS) == {}


def test_silver_that_has_moved_on_leaves_a_settled_day_settled() -> None:
    assert "events" in findings(interval("events"), gold(state=State.BUILT), check=SETTLED_DAYS)
    moved_before = interval("events", moved_at=NOW - timedelta(days=1))
    assert findings(moved_before, gold(), check=SETTLED_DAYS)["events"].violations == 0


def test_a_utc_day_speaks_for_the_local_days_that_it_touches() -> None:
    read = (interval("events"), interval("media_by_date"))
    before = replace(gold(day=DAY - timedelta(days=1)), built_signature="-05:00")
    assert set(findings(*read, before, check=SETTLED_DAYS, zone_name="-05:00")) == {"events"}


def test_any_settled_day_of_a_media_may_change_with_its_labels_and_none_has_to() -> None:
    """In the same build, so that readers never see sessions under one channel and their counts under another."""
    labels = Labels([MediaLabels("m1").after({"channel": "podcast"}, NOW, "")])
    spec = RunSpec(
        "next", "scheduled", "live", "UTC", Window(NOW, zone("UTC"), 7), SOURCES, MediaChoice(("m1",))
    )
    settled = (interval("events"), interval("media_by_date"), gold())
    for given, days in ((labels, {("m1", DAY)}), (labels.applied_all, set()), (None, set())):
        plan = assemble(spec, MEDIA, LedgerView(settled), RawPages(MemoryObjects()), (b"key",), labels=given)
        assert (plan.publishable, plan.refresh) == (days, set())
        assert plan.is_needed is bool(days)
        assert plan.rules[0] == (Rule("podcast", "media_id", "^(m1)$") if given else spec.rules[0])


def test_each_daily_dataset_is_expected_of_every_media_that_is_followed() -> None:
    found = findings(
        interval("events", day=YESTERDAY),
        interval("events", day=DAY),  # an older day takes nothing back
        interval("events", "m2", YESTERDAY - timedelta(days=2)),
        interval("events", "gone", DAY),
        interval("media_by_date", day=YESTERDAY, finished=False),
        interval("media_by_date", "m2", YESTERDAY, landing_id="", missing=True),
        check=FRESHNESS,
    )
    assert {name: (f.checked, f.violations) for name, f in found.items()} == {
        "events": (2, 1),  # m2 is two days late
        "media_by_date": (2, 1),  # of m1, no day that was over has landed; what the source lacks is not late
    }
    assert "expected 2026-03-19; m2 ends at 2026-03-17" in found["events"].detail
    assert "m1 ends at nothing" in found["media_by_date"].detail
