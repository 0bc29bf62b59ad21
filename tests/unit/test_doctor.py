"""The checks of `wistlake doctor`: each verdict at its edge, and what the probes make of answers written here."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.memory import MemoryObjects
from wistlake import bronze
from wistlake.adapters.lake_bytes import Piece
from wistlake.errors import SourceMissing, SourceRefused, SourceUnavailable, StoreError
from wistlake.insight import doctor
from wistlake.insight.doctor import FAILED, FEW, OK, UNKNOWN, Check
from wistlake.insight.probes import authentication, probes
from wistlake.wistia import WistiaClient
from wistlake.zones import zone

Answer = list[dict[str, Any]] | Exception
NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(("year", "verdict"), [(2025, FAILED), (2026, OK), (2099, OK), (2100, FAILED)])
def test_a_clock_can_be_right_for_some_decades(year: int, verdict: str) -> None:
    assert doctor.clock(datetime(year, 5, 6, 7, 8, tzinfo=UTC)) == Check(
        "clock", verdict, f"{year}-05-06 07:08 UTC"
    )


@pytest.mark.parametrize(
    ("free", "writable", "verdict", "detail"),
    [
        (1e9, True, OK, "1.0 GB free, writable"),
        (0.99e9, True, FAILED, "1.0 GB free, writable"),
        (5e9, False, FAILED, "5.0 GB free, not writable"),
    ],
)
def test_a_disk_has_room_and_may_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, writable: bool, verdict: str, detail: str
) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=free) if path == tmp_path else None
    )
    monkeypatch.setattr(os, "access", lambda path, mode: writable)
    assert doctor.disk(tmp_path / "none" / "yet") == Check("disk", verdict, detail)


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)
    (check,) = doctor.engine("sail")
    assert (check.verdict, "pip install" in check.detail) == (FAILED, True)


@pytest.mark.parametrize(
    ("count", "more"), [(0, None), (1, ""), (FEW, ""), (FEW + 1, "; and 1 more"), (FEW + 3, "; and 3 more")]
)
def test_a_few_problems_are_named_and_the_others_counted(count: int, more: str | None) -> None:
    check = doctor.deep("tables", [StoreError(f"file {n}") for n in range(count)])
    named = "; ".join(f"file {n}" for n in range(min(count, FEW)))
    assert check == Check(
        "deep: tables", OK if more is None else FAILED, "whole" if more is None else named + more
    )


@pytest.mark.parametrize(("count", "more"), [(1, ""), (FEW, ""), (FEW + 1, "; and 1 more")])
def test_places_of_personal_data_are_named_without_it(count: int, more: str) -> None:
    pieces = [Piece(f"file{n}", b"from 198.51.100.7 and 198.51.100.8", is_text=True) for n in range(count)]
    checks = {c.name: c for c in doctor.personal_data(pieces, MemoryObjects(), ["a secret of ours"])}
    places = "; ".join(f"file{n} (2)" for n in range(min(count, FEW)))
    assert checks["privacy: IP addresses"] == Check("privacy: IP addresses", FAILED, places + more)
    assert {c.detail for name, c in checks.items() if name != "privacy: IP addresses"} == {
        "none outside of raw pages"
    }
    (found,) = [c for c in doctor.personal_data([Piece("f", b"a secret of ours", is_text=True)], MemoryObjects(),
                                                ["a secret of ours"]) if c.verdict == FAILED]  # fmt: skip
    assert (found.name, found.detail) == ("privacy: tokens", "f (1)")


@pytest.mark.parametrize(
    ("name", "mode", "verdict"),
    [("posix", 0o700, OK), ("posix", 0o701, FAILED), ("posix", 0o750, FAILED), ("nt", 0o700, UNKNOWN)],
)
def test_a_lake_is_open_to_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, mode: int, verdict: str
) -> None:
    tmp_path.chmod(mode)
    monkeypatch.setattr(doctor, "os", SimpleNamespace(name=name))
    assert doctor.owner_only(tmp_path).verdict == verdict


def test_raw_pages_may_hold_personal_data_unless_they_were_redacted() -> None:
    objects = MemoryObjects()
    for run, redacted in (("plain", False), ("masked", True)):
        landing = bronze.landing_id("events", "m1", NOW.date(), run)
        manifest = bronze.Manifest(
            landing, "events", "m1", NOW.date(), run, NOW, True, 0, 0, "h", "", (), redacted=redacted
        )
        objects.put(bronze.manifest_key(landing), bronze.encode_manifest(manifest))
        assert doctor.must_be_clean(objects, bronze.part_key(landing, 1)) is redacted
    nowhere = bronze.part_key(bronze.landing_id("events", "m1", NOW.date(), "gone"), 1)
    assert not doctor.must_be_clean(objects, nowhere)
    assert doctor.must_be_clean(objects, "warehouse/gold/file.parquet")


# the probes, over answers that are written here


def refused(status: int) -> SourceRefused:
    """Wistia's refusal of a request."""
    error = SourceRefused(str(status))
    error.status = status
    return error


class Answers:
    """A client that answers by the path's end and its parameters; the rest is an empty list."""

    def __init__(self, *answers: tuple[str, Mapping[str, str], Answer]) -> None:
        self._answers = (*answers, ("medias", {}, [{"hashed_id": "m1"}]))
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    async def page(self, path: str, parameters: Mapping[str, str] | None = None) -> SimpleNamespace:
        given = dict(parameters or {})
        self.asked.append((path, given))
        for end, some, answer in self._answers:
            if path.endswith(end) and some.items() <= given.items():
                if isinstance(answer, Exception):
                    raise answer
                return SimpleNamespace(records=answer)
        return SimpleNamespace(records=[])


def probed(
    name: str, *answers: tuple[str, Mapping[str, str], Answer], zone_name: str = "-05:00"
) -> tuple[str, str]:
    """Verdict and detail of one probe."""
    client = cast(WistiaClient, Answers(*answers))
    (check,) = [c for c in asyncio.run(probes(client, NOW, zone(zone_name))) if c.name == f"live: {name}"]
    return check.verdict, check.detail


def at(day: int, hour: int) -> dict[str, str]:
    return {"received_at": f"2026-03-{day:02}T{hour:02}:00:00+00:00"}


def plays(*counts: int) -> list[dict[str, Any]]:
    """What by_date says of the 15th to the 17th, the three days that the probe counts."""
    return [{"date": f"2026-03-{15 + n}", "play_count": count} for n, count in enumerate(counts)]


# At three in the morning of UTC it is the day before in the account's zone, -05:00.
SESSIONS = [at(15, 12), at(16, 3), at(16, 12), at(17, 12), at(18, 3), at(18, 12), at(14, 12)]


@pytest.mark.parametrize(
    ("served", "verdict", "ours", "utc"),
    [
        (plays(2, 1, 2), "as set", 0, 3),
        (plays(1, 2, 1), "UTC", 3, 0),
        (plays(5, 1, 2), "as set", 3, 6),
        ([], "UTC", 5, 4),
    ],
)
def test_by_date_counts_the_days_of_the_zone_that_differs_less(
    served: list[dict[str, Any]], verdict: str, ours: int, utc: int
) -> None:
    detail = f"counts differ by {ours} in the account's zone of the settings, by {utc} in UTC"
    answers = (("events", {"media_id": "m1"}, SESSIONS), ("by_date", {}, served))
    assert probed("zone of by_date's days", *answers) == (verdict, detail)


@pytest.mark.parametrize(
    ("sessions", "detail"),
    [
        ([], "0 sessions on a page: none to count, or not all of them"),
        ([at(15, 12)] * 100, "100 sessions on a page: none to count, or not all of them"),
        ([at(15, 12)] * 99, "the days of both zones count alike"),
    ],
)
def test_sessions_that_tell_no_zone_are_no_verdict(sessions: list[dict[str, str]], detail: str) -> None:
    answers = (("events", {"media_id": "m1"}, sessions), ("by_date", {}, plays(1, 1, 1)))
    assert probed("zone of by_date's days", *answers) == (UNKNOWN, detail)


def test_the_zone_is_told_by_three_days_that_are_over_for_certain() -> None:
    client = Answers()
    asyncio.run(probes(cast(WistiaClient, client), NOW, zone("UTC")))
    asked = [p for path, p in client.asked if "start_date" in p]
    assert {
        "start_date": "2026-03-14",
        "end_date": "2026-03-18",
        "media_id": "m1",
        "per_page": "100",
    } in asked
    assert {"start_date": "2026-03-15", "end_date": "2026-03-17"} in asked
    assert {"start_date": "2026-03-13", "end_date": "2026-03-19"} in asked  # a week of events
    assert {"start_date": "2026-03-19", "end_date": "2026-03-13"} in asked  # reversed


ONE, OTHER = {"event_key": "a", "ip": "198.51.100.7"}, {"event_key": "b", "ip": "2001:db8::1"}


@pytest.mark.parametrize(
    ("name", "answers", "expected"),
    [
        (
            "events a page without per_page",
            [("events", {}, [ONE, OTHER])],
            ("2", "rows without per_page, of a week's events"),
        ),
        ("IPv6 addresses", [("events", {}, [ONE, OTHER])], ("yes", "1 of 2 addresses are IPv6")),
        ("IPv6 addresses", [("events", {}, [ONE, {}])], (UNKNOWN, "0 of 2 addresses are IPv6")),
        (
            "both copies of a repeated event",
            [("events", {}, [ONE, OTHER, ONE])],
            ("equal", "1 events were listed twice"),
        ),
        (
            "both copies of a repeated event",
            [("events", {}, [ONE, ONE | {"ip": ""}])],
            ("different", "1 events were listed twice"),
        ),
        (
            "both copies of a repeated event",
            [("events", {}, [ONE, OTHER])],
            (UNKNOWN, "no event was listed twice on the first page"),
        ),
        (
            "numeric media id in events",
            [
                ("medias/m1", {}, [{"id": 7}]),
                ("events", {"media_id": "m1"}, [ONE]),
                ("events", {"media_id": "7"}, [OTHER]),
            ],
            ("works", "1 rows by the numeric id, 1 by the hashed one"),
        ),
        (
            "numeric media id in events",
            [("medias/m1", {}, [{"id": 7}]), ("events", {"media_id": "m1"}, [ONE])],
            ("does not work", "0 rows by the numeric id, 1 by the hashed one"),
        ),
        (
            "numeric media id in events",
            [("medias/m1", {}, [{"id": 7}])],
            (UNKNOWN, "the first media has no events this week"),
        ),
        (
            "engagement body",
            [("engagement", {}, [{"engagement": 0.5, "engagement_data": [1, 2, 3]}])],
            ("seen", "engagement, engagement_data (3)"),
        ),
        (
            "unknown media in stats",
            [("zzzzzzzzzz", {}, SourceMissing("404"))],
            ("404", "for a media that is not there"),
        ),
        ("unknown media in stats", [], ("200", "even for a media that is not there")),
        (
            "archived media in the default list",
            [("medias", {"archived": "true"}, [{"hashed_id": "m1"}, {"hashed_id": "m2"}])],
            ("yes", "1 of 2 archived media are in the default list"),
        ),
        (
            "archived media in the default list",
            [("medias", {"archived": "true"}, [{"hashed_id": "m2"}])],
            ("no", "0 of 1 archived media are in the default list"),
        ),
        (
            "archived media in the default list",
            [("medias", {"archived": "true"}, [])],
            (UNKNOWN, "no media is archived"),
        ),
        (
            "reversed days",
            [("events", {"start_date": "2026-03-19"}, [ONE])],
            ("200", "1 rows for reversed days"),
        ),
        (
            "reversed days",
            [("events", {"start_date": "2026-03-19"}, SourceUnavailable("no"))],
            ("refused", "SourceUnavailable"),
        ),
        (
            "a day that is none",
            [("events", {"start_date": "today"}, [ONE])],
            ("200", "1 rows for a day that is none"),
        ),
        (
            "a day that is none",
            [("events", {"start_date": "today"}, SourceRefused("no"))],
            ("refused", "SourceRefused"),
        ),
        (
            "engagement body",
            [("engagement", {}, [])],
            (UNKNOWN, "IndexError: the probe got no answer that it can read"),
        ),
        (
            "traffic_daily",
            [("traffic", {"group_by": "utm_source"}, [{}])],
            ("yes", "200; WISTLAKE_DATASETS switches it on"),
        ),
        ("conversions", [("conversions", {}, refused(403))], ("not in your plan", "403")),
        (
            "conversions",
            [("conversions", {}, refused(401))],
            ("no", "the token lacks 'Read detailed stats', or is refused"),
        ),
        (
            "languages_daily",
            [("languages", {}, SourceMissing("404"))],
            ("no", "404: not for this account, nor on /v1"),
        ),
    ],
)
def test_what_a_probe_makes_of_an_answer(
    name: str, answers: list[tuple[str, Mapping[str, str], Answer]], expected: tuple[str, str]
) -> None:
    assert probed(name, *answers) == expected


@pytest.mark.parametrize(
    ("answer", "verdict", "detail"),
    [
        ([], "yes", "200"),
        (SourceRefused("401"), "no", "401 or 403"),
        (SourceUnavailable("no"), UNKNOWN, "SourceUnavailable"),
    ],
)
def test_the_other_way_to_send_the_token(answer: Answer, verdict: str, detail: str) -> None:
    client = cast(WistiaClient, Answers(("medias", {}, answer)))
    assert asyncio.run(authentication(client, "basic")) == Check(
        "live: basic authentication", verdict, detail
    )
