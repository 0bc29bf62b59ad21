"""A lake that lived: what stops a day, what explains it, and what is no evidence."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from support.checkpoints import Checkpoint
from support.lake import Lake, Scenario
from support.some import some
from wistia_simulator import Profile
from wistlake import bronze
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local.objects import LocalObjects
from wistlake.contracts.form import Table
from wistlake.derive import checks
from wistlake.entrypoints.cli.main import main
from wistlake.errors import ContractViolation
from wistlake.insight.certify import Evidence, evidence
from wistlake.insight.explain import explain, moved_sessions
from wistlake.pipeline.run.build import VISITORS
from wistlake.pipeline.run.driver import RunFailed
from wistlake.quality.reconciliation import IDENTITIES, TRAFFIC_AND_PLAYS
from wistlake.transforms import fact_events
from wistlake.wiring import spec
from wistlake_soak.dying import Died, Dying
from wistlake_soak.judge import judge
from wistlake_soak.week import mortal

pytestmark = pytest.mark.engine
SCENARIO = Scenario(profile=replace(Profile(), media=2, sessions_per_day=12, history_days=12))


@pytest.fixture
def empty(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", SCENARIO)


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    lake = Lake(tmp_path_factory.mktemp("trust") / "lake", SCENARIO)
    lake.run_days(1)
    return Checkpoint(lake)


@pytest.fixture
def lake(first_day: Checkpoint) -> Lake:
    """A lake that one scheduled run has filled."""
    return first_day.restored()


def _evidence(lake: Lake, days: int) -> Evidence:
    window = spec.window(lake.settings(), lake.world.clock.now())
    return evidence(lake.ledger, DuckDBQuery(lake.ledger), window, days)


def test_scheduled_days_are_evidence_and_say_that_they_were_simulated(lake: Lake) -> None:
    lake.run_day(SCENARIO.starts + timedelta(days=1))
    found = _evidence(lake, 2)
    assert found.passed, found
    assert all("(simulated)" in page.markdown() for page in some(found.days))


def test_a_manual_run_is_no_evidence(lake: Lake) -> None:
    lake.run_day(SCENARIO.starts + timedelta(hours=1), trigger="manual")
    assert "by hand (manual)" in str(_evidence(lake, 1).days[0].problems)


def test_a_missed_day_is_no_evidence(lake: Lake) -> None:
    lake.run_day(SCENARIO.starts + timedelta(days=2))
    assert _evidence(lake, 3).days[1].problems == ("no run was started",)


class Forged(LocalObjects):
    """Raw pages, of which one day's counts are replaced on their way in."""

    def __init__(self, folder: Path, media: str, day: date, *, whole: bool) -> None:
        super().__init__(folder)
        self.place, self.whole = f"media_by_date/dt={day}/media_id={media}/", whole

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        if self.place in key and key.endswith(".gz"):
            lines = [r | {"play_count": 99_999} for _, r in bronze.decode_lines(data)]
            data = bronze.encode_lines(key.split("wistia/")[1].rpartition("/")[0], lines)
            self.part = bronze.Part(key, len(lines), len(data), bronze.sha256(data))
        elif self.place in key and self.whole:
            manifest = replace(bronze.decode_manifest(data), parts=(self.part,))
            data = bronze.encode_manifest(
                replace(manifest, payload_sha256=bronze.payload_hash(manifest.parts), content_hash="forged")
            )
        super().put(key, data, if_absent=if_absent)


@pytest.mark.parametrize("whole", [False, True], ids=["page changed", "page and manifest changed"])
def test_wrong_counts_put_into_a_landing_by_hand_stop_their_day(lake: Lake, whole: bool) -> None:
    """A changed page is not what its manifest says; where the manifest was changed too, the sessions tell."""
    before = {(r["media_id"], r["date"]): r for r in lake.rows("gold.fact_media_daily")}
    media, day = max(before)
    forged = Forged(lake.folder, media, day, whole=whole)
    again = SCENARIO.starts + timedelta(hours=20)
    with pytest.raises(
        RunFailed, match=f"wistlake backfill --from {day} --to {day} --media {media}"
    ) as failed:
        lake.run_day(again, around=lambda p: replace(p, objects=forged))
    assert failed.value.exit_code == 65
    assert not lake.ledger.facts(VISITORS)  # no other build follows for a day that is held
    after = {(r["media_id"], r["date"]): r for r in lake.rows("gold.fact_media_daily")}
    assert after[(media, day)] == before[(media, day)]
    if whole:
        told = lake.sql("SELECT * FROM ops.reconciliation WHERE verdict = 'broken' AND blocking")
        assert [(r["media_id"], r["date"], r["theirs"]) for r in told] == [(media, day, 99_999)]
    cured = lake.run_day(again + timedelta(hours=1), start=day, end=day, media=(media,), trigger="backfill")
    assert cured.status == "succeeded"
    plays = {(r["media_id"], r["date"]): r["plays"] for r in lake.rows("gold.fact_media_daily")}
    assert plays[(media, day)] < 99_999


def test_a_landing_with_fewer_rows_than_it_promises_stops_its_day_alone(empty: Lake) -> None:
    class Short(LocalObjects):
        def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
            if key.endswith("manifest.json") and "events/" in key:
                manifest = bronze.decode_manifest(data)
                if manifest.rows and not hasattr(self, "short"):
                    self.short = manifest
                    more = tuple(replace(p, rows=p.rows + 1) for p in manifest.parts)
                    data = bronze.encode_manifest(replace(manifest, rows=manifest.rows + 1, parts=more))
            super().put(key, data, if_absent=if_absent)

    short = Short(empty.folder)
    with pytest.raises(RunFailed, match="promises") as failed:
        empty.run_day(SCENARIO.starts, around=lambda p: replace(p, objects=short))
    assert len(failed.value.result.errors) == 1
    days = {(r["media_id"], r["event_date"]) for r in empty.rows("silver.fact_events")}
    assert days
    assert (short.short.media_id, short.short.day) not in days


def test_rows_that_break_their_contract_stop_their_day_alone(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the contract asked for less of one media's day than Wistia serves."""
    before = lake.rows("gold.fact_media_daily")
    media, day = max((r["media_id"], r["date"]) for r in before)
    asked = checks.violations

    def stricter(table: Table) -> Mapping[str, str]:
        one = f"media_id = '{media}' and date = date'{day}'"
        return {**asked(table)} | ({checks.RANGES: one} if table.name == strict else {})

    monkeypatch.setattr(checks, "violations", stricter)
    for hour, strict in enumerate(("fact_media_by_date", "fact_media_daily"), 30):
        moment = SCENARIO.starts + timedelta(hours=hour)
        with pytest.raises(RunFailed) as failed:
            lake.run_day(moment)
        assert len(failed.value.result.errors) == 1
        assert f"--from {day} --to {day} --media {media}" in str(failed.value)
        after = {(r["media_id"], r["date"]): r for r in lake.rows("gold.fact_media_daily")}
        assert after[(media, day)] in before
        assert len(after) > len(before)
        (told,) = lake.sql(
            f"SELECT * FROM ops.quality_results WHERE run_id = '{failed.value.result.run_id}'"
            f" AND verdict = 'broken' AND scope LIKE '%{day}'"
        )
        assert (told["check_name"], told["effect"]) == (checks.RANGES, "stop")
        assert told["scope"].startswith(("silver.", "gold.")[strict == "fact_media_daily"] + strict)
    monkeypatch.undo()
    lake.run_day(SCENARIO.starts + timedelta(hours=33))
    found = judge(lake.world, lake.folder, lake.settings().tz, lake.sql, lake.settings().lookback_days)
    assert (found.lost, found.duplicated, found.wrong) == (0, 0, 0), found.findings


def test_a_key_that_would_be_there_twice_stops_the_run(empty: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_events, "deduplicate", lambda rows, _: rows.unionByName(rows))
    with pytest.raises(ContractViolation, match="break unique_keys"):
        empty.run_days(1)
    assert empty.rows("silver.fact_events") == []


def test_every_check_of_a_run_is_kept(empty: Lake) -> None:
    (result,) = empty.run_days(1)
    found = empty.rows("ops.quality_results")
    assert {r["run_id"] for r in found} == {"run-0001"}
    names = {"unique_keys", "not_null", "in_range", "allowed_values", "row_rules", "references", "freshness"}
    assert {r["check_name"] for r in found} == names | {"volume", "readable_rows"}
    assert {r["effect"] for r in found} == {"stop", "quarantine", "warn"}
    assert not [r for r in some(found) if r["verdict"] == "broken"]
    assert result.checks["holds"] == sum(r["verdict"] == "holds" for r in found) > 30
    counted = {r["scope"]: r["checked"] for r in found if r["check_name"] == "unique_keys"}
    assert counted["silver.fact_events"] == len(empty.rows("silver.fact_events"))


def test_a_run_that_dies_between_silver_and_gold_leaves_nothing_behind(lake: Lake) -> None:
    merges = Dying(at=6, methods=("merge",))
    with pytest.raises(Died):
        lake.run_day(SCENARIO.starts + timedelta(days=1), around=lambda p: mortal(p, merges))
    lake.run_day(SCENARIO.starts + timedelta(days=1, minutes=30))
    found = judge(lake.world, lake.folder, lake.settings().tz, lake.sql, lake.settings().lookback_days)
    assert (found.lost, found.duplicated, found.wrong) == (0, 0, 0), found.findings


@dataclass(frozen=True)
class Story:
    """What became of a media's day at the source, reading by reading."""

    media: str
    day: date
    seen: list[dict[str, tuple[float, datetime]]]

    @property
    def every(self) -> set[str]:
        return set().union(*self.seen)

    @property
    def late(self) -> set[str]:
        return self.every - self.seen[0].keys()

    @property
    def removed(self) -> set[str]:
        return self.every - self.seen[-1].keys()

    @property
    def grown(self) -> set[str]:
        first = {k: next(s[k] for s in self.seen if k in s) for k in self.every}
        return {k for k, value in self.seen[-1].items() if value != first[k]}


def _story(lake: Lake, media: str, day: date, moments: list[datetime]) -> Story:
    tz = lake.settings().tz
    around = (day - timedelta(days=1), day + timedelta(days=1))

    def listed(at: datetime) -> dict[str, tuple[float, datetime]]:
        found = lake.world.truth.sessions(media, *around, at=at)
        mine = [s for s in found if s.received_at.astimezone(tz).date() == day]
        return {s.event_key: (s.percent_viewed, s.received_at) for s in mine}

    return Story(media, day, [listed(moment) for moment in moments])


def test_explain_says_why_a_day_changed(tmp_path: Path) -> None:
    """Every count against what the source listed at each run, on a day to which everything happened."""
    moving = replace(
        SCENARIO.profile, sessions_per_day=60, late=0.15, vanishing=0.08, growing=0.9, late_days=4
    )
    lake = Lake(tmp_path / "lake", Scenario(moving, seed=5))
    moments = [lake.scenario.starts + timedelta(days=n) for n in range(3)]
    lake.run_days(3)
    tz = lake.settings().tz
    days = [moments[0].date() - timedelta(days=n) for n in range(2, 6)]
    stories = [_story(lake, media, day, moments) for media in lake.world.media_ids for day in days]
    story = next(s for s in stories if s.late and s.removed and s.grown)
    media, day, seen, every = story.media, story.day, story.seen, story.every
    found = explain(lake.ledger, LocalObjects(lake.folder), DuckDBQuery(lake.ledger), media, day, tz)
    assert found["sessions"] == {
        "listed": len(seen[-1]), "removed": len(story.removed), "late": len(story.late), "grown": len(story.grown),
    }  # fmt: skip
    assert found["row"]["sessions"] == len(seen[-1])
    by_run = {c["run_id"]: c for c in found["changes"]}
    assert by_run["run-0001"]["added"] == len(seen[0])
    assert sum(c["added"] for c in found["changes"]) == len(every)
    assert sum(c["removed"] for c in found["changes"]) == len(story.removed)
    assert found["run_id"] == found["changes"][-1]["run_id"]
    moved = {(r["media_id"], r["date"]): r for r in moved_sessions(DuckDBQuery(lake.ledger))}
    assert moved[(media, day)] == {"media_id": media, "date": day, **found["sessions"]}
    published = lake.ledger.publication()
    assert published is not None
    assert found["snapshot_id"] == published.tables["gold.fact_media_daily"].snapshot_id
    pages = {x["dataset"]: x["pages"] for x in found["landings"]}
    assert pages.keys() == {"events", "media_by_date"}
    assert all(pages.values())
    plays = [o["play_count"] for o in found["observations"]]
    assert plays[-1] == found["row"]["plays"]
    assert {"transform_version", "contract_version", "source_versions", "verdicts"} <= found.keys()


def test_a_duplicate_is_no_evidence(lake: Lake) -> None:
    """Nothing in the product makes one: the table is tampered with, as another writer might."""
    assert _evidence(lake, 1).passed

    class Doubled(DuckDBQuery):
        def sql(self, text: str) -> pa.Table:
            rows = "(SELECT * FROM silver.fact_events UNION ALL (SELECT * FROM silver.fact_events LIMIT 1))"
            return super().sql(text.replace("silver.fact_events", rows))

    window = spec.window(lake.settings(), lake.world.clock.now())
    found = evidence(lake.ledger, Doubled(lake.ledger), window, 1)
    assert not found.passed
    assert "1 rows of silver.fact_events repeat an event_key" in found.problems
    assert found.days[0].duplicates == 1


def test_the_command_certifies_or_says_why_not(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WISTLAKE_LAKE", str(lake.folder))
    monkeypatch.setenv("MEDIA_IDS", "all")
    lake.run_day(SCENARIO.starts + timedelta(days=1))

    def certify() -> tuple[int, str]:
        now = lake.world.clock.now().isoformat()
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["certify", "--days", "2", "--pages", str(lake.folder.parent / "pages"), "--now", now])
        return int(ended.value.code or 0), capsys.readouterr().out

    assert certify()[0] == 0
    pages = sorted((lake.folder.parent / "pages").iterdir())
    assert len(pages) == 2
    assert all("passed (simulated)" in page.read_text() for page in pages)
    assert all("live" not in page.read_text() for page in pages)
    lake.run_day(lake.world.clock.now() + timedelta(hours=1), trigger="repair")
    code, said = certify()
    assert code == 1
    assert "by hand (repair)" in said.replace("\n", " ")


def test_status_says_what_agrees_with_wistia(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WISTLAKE_LAKE", str(lake.folder))
    now = lake.world.clock.now().isoformat()
    with pytest.raises(SystemExit):
        main(["status", "--now", now, "--json"])
    found = json.loads(capsys.readouterr().out)
    told = {i["identity"]: i for i in found["reconciliation"]}
    assert set(told) == set(IDENTITIES) - {TRAFFIC_AND_PLAYS}  # which this lake does not read
    assert all(i["says"] and not i["broken"] for i in some(told.values()))
    assert told["gold_is_silver"]["holds"] == len(lake.rows("gold.fact_media_daily"))
    assert found["checks"]["holds"] > 30
    with pytest.raises(SystemExit):
        main(["status", "--now", now])
    said = capsys.readouterr().out
    assert "provisional media days: " in said
