"""Who sent a form is forgotten as well: the form leaves the raw pages, and the counts."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from privacy.people import PEOPLE, have_forgotten
from support.compare import differences
from support.lake import START, Lake, Scenario
from wistlake.adapters import lake_bytes
from wistlake.contracts import SOURCES, table

pytestmark = pytest.mark.engine
DATASETS = (*(s.name for s in SOURCES if not s.optional), "conversions")


def test_a_sender_is_gone_from_raw_pages_and_counts(tmp_path: Path) -> None:
    profile = replace(PEOPLE, lead_share=0.5, email_share=0.0)  # nobody but senders of forms has an address
    lake = Lake(tmp_path / "lake", Scenario(profile, settings={"datasets": DATASETS, "lookback_days": 2}))
    lake.run_days(2)
    counted = {(r["media_id"], r["date"]): r["conversions"] for r in lake.rows("silver.conversions_by_date")}
    sent = Counter(
        (lead.person.email, pair) for pair in counted for lead in lake.world.truth.leads(pair[0], pair[1])
    )
    (email, _), forms = max(sent.items(), key=lambda item: (item[1], item[0]))
    assert all(p.startswith("bronze/") for p in lake_bytes.search(lake.folder, [email]))

    now = START + timedelta(days=1, hours=1)
    receipt = have_forgotten(lake, now, email=email)

    theirs = {p: n for (who, p), n in sent.items() if who == email}
    assert receipt["bronze"]["records"] == sum(theirs.values()) >= forms
    assert not lake_bytes.search(lake.folder, [email, email.partition("@")[0]])
    left = {p: n - theirs.get(p, 0) for p, n in counted.items() if n > theirs.get(p, 0)}
    for name in ("silver.conversions_by_date", "gold.conversion_daily"):
        column = "conversions" if name.startswith("silver") else "actions"
        rows = [r for r in lake.rows(name) if r.get("kind", "lead") == "lead"]
        assert {(r["media_id"], r["date"]): r[column] for r in rows} == left, name
    before = lake.rows("gold.conversion_daily")
    lake.run_day(now + timedelta(hours=1), start=START.date() - timedelta(days=5), trigger="backfill")
    assert not lake_bytes.search(lake.folder, [email])
    again = [r for r in lake.rows("gold.conversion_daily") if (r["media_id"], r["date"]) in counted]
    known = [r for r in before if (r["media_id"], r["date"]) in counted]
    assert differences(table("gold.conversion_daily"), known, again) == []
