"""A folder without a lake, and one with a lake whose ledger has a history; no engine."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from support.handmade import HandMade, make
from wistlake.adapters.local import lake_archive
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.planning.intervals import Interval, MediaEntry, State, Watermark
from wistlake.ports import Run

BEGAN = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
MEDIA, RETIRED = "abcdef1234", "retired001"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run; nothing answers at the settings' address."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "WISTIA_API_TOKEN": "simulated",
        "WISTIA_BASE_URL": "http://127.0.0.1:9/modern",
        "MEDIA_IDS": MEDIA,
        "WISTLAKE_LOOKBACK_DAYS": "2",
        "WISTLAKE_ACCOUNT_TIMEZONE": "UTC",
        "COLUMNS": "200",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    """One lake of all, with the ledger that `remember` writes."""
    made = make(tmp_path_factory.mktemp("made") / "lake")
    ledger = SqliteLedger(made.folder / "ledger.db")
    remember(ledger)
    ledger.close()
    return made


@pytest.fixture
def lake(original: HandMade, folder: Path, monkeypatch: pytest.MonkeyPatch) -> HandMade:
    """A copy that the settings name."""
    lake_archive.restore(original.folder, folder / "lake")
    monkeypatch.setenv("WISTLAKE_LAKE", str(folder / "lake"))
    monkeypatch.setenv("WISTLAKE_ACCOUNT_TIMEZONE", "America/New_York")
    return HandMade(folder / "lake")


def remember(ledger: SqliteLedger) -> None:
    """Two media, one of them retired; days of events that are published, missing and failed; two runs."""
    ledger.put_media(
        [
            MediaEntry(MEDIA, date(2026, 2, 26), BEGAN - timedelta(days=7)),
            MediaEntry(RETIRED, date(2026, 2, 20), BEGAN - timedelta(days=9), BEGAN, "campaign is over"),
        ]
    )
    for n in (26, 27, 28):
        ledger.record([_interval(MEDIA, date(2026, 2, n), State.PUBLISHED)])
    ledger.record([_interval(MEDIA, date(2026, 3, 1), State.FAILED, "a test said so")])
    ledger.record([_interval(MEDIA, date(2026, 3, 4), State.PUBLISHED)])
    ledger.record([_interval(RETIRED, date(2026, 2, 21), State.FAILED, "of no interest")])
    gold = _interval(MEDIA, date(2026, 2, 26), State.PUBLISHED, "provisional")
    ledger.record([Interval("gold", MEDIA, gold.day, gold.state, "run-1", BEGAN, reason="provisional")])
    ledger.advance([Watermark("events", MEDIA, date(2026, 2, 28), BEGAN)])
    ledger.advance([Watermark("media_by_date", MEDIA, date(2026, 2, 27), BEGAN)])
    before = BEGAN - timedelta(days=1)
    ledger.put_run(
        Run("run-1", "scheduled", "simulated", "failed", before, before + timedelta(minutes=3), "no answer")
    )
    summary = {"checks": {"holds": 7, "broken": 1}, "warnings": ["one of them is broken"]}
    ledger.put_run(
        Run("run-2", "manual", "simulated", "succeeded", BEGAN, BEGAN + timedelta(minutes=4)), summary
    )


def _interval(media_id: str, day: date, state: State, reason: str = "") -> Interval:
    return Interval(
        "events", media_id, day, state, "run-1", BEGAN, reason=reason, landing_id=f"l{day}", observed_at=BEGAN,
        rows=5, finished=True, confirmations=1,
        published_at=BEGAN if state is State.PUBLISHED else None,
    )  # fmt: skip
