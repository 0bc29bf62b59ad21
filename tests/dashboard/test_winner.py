"""The channel that the first sentence names is the true winner of a simulated account, and none where there is none."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest

from dashboard.published import DAILY, DIM, Published
from support.lake import Lake, Scenario, at
from wistia_simulator import Profile, World
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.ports import Query
from wistlake.quality.scope import Scope
from wistlake_dashboard import findings
from wistlake_dashboard.answer import between
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.report import page
from wistlake_dashboard.sections import PAGES, view

LAST = date(2026, 3, 1)
FIRST = LAST - timedelta(days=13)
LATER = at(LAST + timedelta(days=9))
NAMES = {"facebook": "Facebook", "youtube": "YouTube"}
# The first two media differ: the first is played more, and watched less. The other two are alike.
PROFILE = Profile(
    media=4, sessions_per_day=40, popularity=(1.6, 1.0, 1.3, 1.3), attention=(0.7,), history_days=25,
    account_timezone="UTC",
)  # fmt: skip


def channels_of(world: World) -> dict[str, str]:
    """Each media's channel: with odd seeds the other way around."""
    names = ("facebook", "youtube") if world.seed % 2 else ("youtube", "facebook")
    return {media_id: names[n % 2] for n, media_id in enumerate(world.media_ids)}


def published(world: World, channels: Mapping[str, str]) -> Published:
    """The account's sessions as they truly are, in the tables."""
    query = Published({DIM: [{"media_id": m, "title": m, "is_deleted": False} for m in channels]})
    for media_id, channel in channels.items():
        sessions = world.truth.sessions(media_id, FIRST, LAST)
        query.add(
            "silver.fact_events",
            [{"event_key": s.event_key, "media_id": media_id, "visitor_id": s.visitor_key, "received_at": s.received_at,
              "event_date": s.received_at.date(), "event_date_local": s.received_at.date(), "channel": channel,
              "percent_viewed": s.percent_viewed} for s in sessions],
        )  # fmt: skip
        for n in range(14):
            day = FIRST + timedelta(days=n)
            plays = sum(s.received_at.date() == day for s in sessions)
            query.add(DAILY, [{"media_id": media_id, "date": day, "plays": plays, "plays_from_events": plays,
                               "sessions": plays, "certificate": "settled"}])  # fmt: skip
    return query


def right(query: Query, world: World, channels: Mapping[str, str]) -> None:
    """Assert that the report, the page and the figures say what is true."""
    played, watched, *alike = world.media_ids
    more, longer = NAMES[channels[played]], NAMES[channels[watched]]
    differing = Scope(FIRST, LAST, (played, watched))
    first = unescape(page(query, differing)).split('<h1 class="answer">')[1].split("</h1>")[0].split(". ")[0]
    assert f"{more} beats {longer} in plays (" in first
    assert f"{longer} beats {more} in average engagement (" in first
    (traffic,) = (p for p in PAGES if p.path == "traffic")
    said = traffic.sections[0].blocks(view(Reader(query), differing))
    assert any(f"{more} beats {longer} in plays (" in getattr(block, "line", "") for block in said)
    both = findings.channels(query, Scope(FIRST, LAST, tuple(alike)))
    assert between(both) == "no clear difference between Facebook and YouTube"


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_first_sentence_and_the_traffic_page_name_the_true_winner_or_none(seed: int) -> None:
    world = World(seed, PROFILE, LATER)
    channels = channels_of(world)
    right(published(world, channels), world, channels)


@pytest.mark.engine
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_so_they_do_after_a_run_with_labelled_channels(tmp_path: Path, seed: int) -> None:
    """Each media has its channel by a label alone: no rule fits."""
    rules, labels = tmp_path / "channels.toml", tmp_path / "labels.csv"
    lines = (
        f"{media_id},{channel}" for media_id, channel in channels_of(World(seed, PROFILE, LATER)).items()
    )
    labels.write_text("\n".join(("media_id,channel", *lines)))
    rules.write_text("[[rule]]\nchannel = 'nobody'\nfield = 'media_id'\npattern = '^nobody$'")
    run(tmp_path, Scenario(PROFILE, seed, LATER, settings={"channels": rules, "labels": labels}))


@pytest.mark.engine
def test_so_they_do_after_a_run_with_rules_of_ones_own(tmp_path: Path) -> None:
    channels, rules = channels_of(World(6, PROFILE, LATER)), tmp_path / "channels.toml"
    rules.write_text(
        "\n".join(
            f"[[rule]]\nchannel = '{c}'\nfield = 'media_id'\npattern = '^{m}$'" for m, c in channels.items()
        )
    )
    run(tmp_path, Scenario(PROFILE, 6, LATER, settings={"channels": rules}))


def run(folder: Path, scenario: Scenario) -> None:
    """Assert that what a run publishes says what is true."""
    lake = Lake(folder / "lake", scenario)
    lake.run_day(LATER, start=FIRST, end=LAST)
    right(DuckDBQuery(lake.ledger), lake.world, channels_of(lake.world))


def test_where_there_is_no_difference_hardly_any_seed_sees_one() -> None:
    """Of twenty accounts with channels that are alike, in days of a steady mean: by design one in a hundred each."""
    profile = Profile(
        media=2, sessions_per_day=40, popularity=(1.0, 1.0), history_days=22, account_timezone="UTC"
    )
    seen = 0
    for seed in range(100, 120):
        world = World(seed, profile, datetime(2026, 3, 10, tzinfo=UTC))
        query = published(world, channels_of(world))
        seen += (
            between(findings.channels(query, Scope(FIRST, LAST)))
            != "no clear difference between Facebook and YouTube"
        )
    assert seen <= 1
