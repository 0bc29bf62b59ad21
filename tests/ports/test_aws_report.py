"""The whole report by way of Athena: what it says of a lake is what it says of the same lake on a laptop."""

import re
from datetime import timedelta

import pytest

from support.aws_copy import Copy
from support.emulated import Account
from support.lake import START, Lake, Scenario
from support.some import some
from wistia_simulator import MediaChange, Profile
from wistlake.adapters.aws.query import AthenaQuery
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.quality.views import views
from wistlake_dashboard import changes, health
from wistlake_dashboard.report import newest_scope, page

pytestmark = [pytest.mark.aws, pytest.mark.engine]
DAYS = 4
GONE = MediaChange(1, START + timedelta(days=1), "delete")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Three media, one of which is deleted on the way."""
    profile = Profile(media=3, sessions_per_day=10, history_days=10, changes=(GONE,))
    made = Lake(tmp_path_factory.mktemp("report") / "lake", Scenario(profile=profile))
    made.run_days(DAYS)
    return made


@pytest.fixture(scope="module")
def both(lake: Lake, account: Account) -> tuple[DuckDBQuery, AthenaQuery]:
    copied = Copy(account, lake)
    return (
        DuckDBQuery(lake.ledger, views()),
        AthenaQuery(copied.ledger, copied.database, copied.database, views(), account.client("athena")),
    )


def test_the_report_is_the_laptops(both: tuple[DuckDBQuery, AthenaQuery]) -> None:
    here, there = both
    scope = newest_scope(here)
    assert scope
    assert newest_scope(there) == scope
    expected, found = page(here, scope), page(there, scope)
    assert "followed media are" in expected
    assert "deleted at Wistia" in expected
    assert some(re.findall(r">([^<]+)<", expected)) == re.findall(r">([^<]+)<", found)


def test_the_account_and_the_deleted_media(both: tuple[DuckDBQuery, AthenaQuery]) -> None:
    """What joins the ledger with published tables."""
    here, there = both
    scope = newest_scope(here)
    assert scope
    days = health.account(here, scope)
    assert any(day.account_plays and day.plays for day in some(days))
    assert health.account(there, scope) == days
    what = changes.changes(here, scope)
    assert any("deleted" in row["what"] for row in some(what))
    assert changes.changes(there, scope) == what
