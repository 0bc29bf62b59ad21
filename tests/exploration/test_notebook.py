"""Every code cell of the notebook, in order, over a lake of its own."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.published import publish
from support.some import some
from wistlake.contracts import table

NOTEBOOK = Path(__file__).parents[2] / "exploration" / "lake.ipynb"
FIRST = date(2026, 3, 2)


@pytest.fixture
def _demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`demo-lake`: two media, eight days; one viewer comes every day, by two channels."""
    days = [("m1", FIRST + timedelta(days=n)) for n in range(8)] + [
        ("m2", FIRST + timedelta(days=n)) for n in range(8)
    ]
    rows = {
        "gold.fact_media_daily": [
            {"media_id": m, "date": d, "plays": 5, "loads": 9, "sessions": 2, "certificate": "settled"} for m, d in days
        ],
        "gold.fact_media_engagement": [
            {"media_id": m, "date": d, "visitor_id": "v", "watched_share": 0.5, "first_received_at": None}
            for m, d in days
        ],
        "silver.fact_events": [
            {"event_key": f"{m}{d}{channel}", "media_id": m, "visitor_id": "v", "event_date": d, "event_date_local": d,
             "percent_viewed": 0.5, "channel": channel}
            for m, d in days for channel in ("email", "facebook")
        ],
        "silver.media_lifetime": [
            {"media_id": m, "snapshot_date": FIRST + timedelta(days=8), "play_count": 40, "engagement": 0.5,
             "engagement_data": [40, 36, 8, 4, 4], "duration_seconds": 4.0}
            for m in ("m1", "m2")
        ],
    }  # fmt: skip
    publish(tmp_path / "demo-lake", {table(name): of for name, of in rows.items()})
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_demo")
def test_every_cell_runs(capsys: pytest.CaptureFixture[str]) -> None:
    cells = [c for c in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    names: dict[str, Any] = {}
    for cell in some(cells):
        assert cell["outputs"] == [], "committed without outputs"
        exec("".join(cell["source"]), names)
    assert [(r["plays"], r["before"]) for r in names["plays"].rows] == [(10, 10)] * 4
    assert (names["viewers"], names["by_channel"]["unique_viewers"].sum()) == (1, 2)
    assert names["days"].to_pylist() == [{"certificate": "settled", "days": 16}]
    assert "leave between" in capsys.readouterr().out
