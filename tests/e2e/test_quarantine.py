"""Refused records: listed with their reasons, shown as far as may be, and brought home."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support import commands
from support.lake import START, Lake, Scenario
from wistia_simulator import Profile
from wistlake import bronze
from wistlake.adapters.local import lake_archive
from wistlake.adapters.local.objects import LocalObjects
from wistlake.quality.reasons import meaning
from wistlake.transforms import fact_events

pytestmark = pytest.mark.engine
STRICT = "try_cast(line.record.percent_viewed as double) > 0.9"
NOW = (START + timedelta(hours=1)).isoformat()


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that was built by a contract which refuses sessions that saw more than 90 %."""
    lake = Lake(tmp_path_factory.mktemp("strict") / "lake", Scenario(Profile(media=2, sessions_per_day=12)))
    fact_events.RULES["too_much_viewed"] = STRICT
    try:
        lake.run_days(1)
    finally:
        del fact_events.RULES["too_much_viewed"]
    return lake


@pytest.fixture
def folder(grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    lake_archive.restore(grown.folder, tmp_path / "lake")
    monkeypatch.chdir(tmp_path)
    for name, value in (("WISTLAKE_LAKE", str(tmp_path / "lake")), ("MEDIA_IDS", "all")):
        monkeypatch.setenv(name, value)
    return tmp_path / "lake"


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    """Exit code, the answer (JSON, if it was asked for), and standard error."""
    capsys.readouterr()
    code = commands.call(*arguments)
    said = capsys.readouterr()
    wants_json = "--json" in arguments and not code
    return code, json.loads(said.out.splitlines()[-1]) if wants_json else said.out, said.err


def sessions(lake: Path) -> tuple[int, int]:
    """Listed sessions in silver, and in gold's published days together."""
    from wistlake.wiring.laptop import query_folder

    query = query_folder(lake)
    silver = query.sql("SELECT count(*) AS n FROM silver.fact_events").to_pylist()[0]["n"]
    gold = query.sql("SELECT sum(sessions) AS n FROM gold.fact_media_daily").to_pylist()[0]["n"]
    return int(silver), int(gold)


def test_records_are_listed_with_their_reasons(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, found, _ = call(capsys, "quarantine", "list", "--json")
    assert len(found["records"]) > 20
    assert {r["reason"] for r in found["records"]} == {"too_much_viewed"}
    media = found["records"][0]["media_id"]
    _, chosen, _ = call(capsys, "quarantine", "list", "--media", media, "--json")
    assert {r["media_id"] for r in chosen["records"]} == {media}
    _, none, _ = call(capsys, "quarantine", "list", "--reason", "malformed_json")
    assert "nothing was refused" in none


def test_one_record_is_shown_without_anything_personal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, listed, _ = call(capsys, "quarantine", "list", "--json")
    _, found, _ = call(capsys, "quarantine", "show", listed["records"][0]["id"], "--json")
    assert (found["source"], found["meaning"]) == ("retained", meaning("too_much_viewed"))
    payload = json.loads(found["payload"])
    assert payload["percent_viewed"] > 0.9
    assert not {"ip", "email", "visitor_key", "embed_url", "city"} & set(payload)


@pytest.mark.parametrize(("record_id", "words"), [("zzzz", "no refused record"), ("a'b", "isn't an id")])
def test_ids_that_fit_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], record_id: str, words: str
) -> None:
    code, _, error = call(capsys, "quarantine", "show", record_id)
    assert (code, words in error) == (2, True)


def test_replay_brings_rows_home_once_the_contract_takes_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sessions(folder)
    _, listed, _ = call(capsys, "quarantine", "list", "--json")
    _, found, _ = call(capsys, "quarantine", "replay", "--now", NOW, "--json")
    assert (found["came_home"], found["still_refused"], found["expired"]) == (len(listed["records"]), 0, 0)
    after = sessions(folder)
    assert after[0] - before[0] == len(listed["records"])
    assert after[1] > before[1]
    _, again, _ = call(capsys, "quarantine", "replay", "--now", NOW)
    assert "nothing was refused" in again


def test_replay_refuses_again_what_still_breaks_the_contract(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fact_events.RULES, "too_much_viewed", STRICT.replace("0.9", "0.95"))
    _, found, _ = call(capsys, "quarantine", "replay", "--now", NOW, "--json")
    assert found["came_home"] > 0
    assert found["still_refused"] > 0


def test_after_retention_replay_says_that_the_source_has_expired(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = LocalObjects(folder)
    _, listed, _ = call(capsys, "quarantine", "list", "--json")
    landings = {r["landing_id"] for r in listed["records"]}
    objects.delete([key for x in landings for key in [*objects.list(f"{bronze.folder(x)}/")]])
    code, said, error = call(capsys, "quarantine", "replay", "--now", NOW)
    assert code == 74
    assert "has expired" in said
    assert "wistlake backfill --from" in said
    assert "nothing can be replayed" in error
