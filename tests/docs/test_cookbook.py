"""Every query of the documentation is asked, and has an answer."""

import pytest

import wistlake
from docs.pages import ROOT, Block, blocks
from support.lake import Lake
from wistlake.quality.metrics import misuses

COOKBOOK = ROOT / "docs" / "cookbook.md"
ALL = blocks("sql")
QUERIES = [q for q in ALL if q.note != "not run: Athena's dialect"]
pytestmark = pytest.mark.engine


def test_there_are_twenty_questions() -> None:
    asked = [b.heading for b in QUERIES if b.page == COOKBOOK]
    assert len(asked) == 20
    assert len(set(asked)) == 20
    assert all(question.endswith("?") for question in asked)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_queries_have_answers(query: Block, lake: Lake) -> None:
    found = wistlake.open(lake.folder).sql(query.text).to_pylist()
    if not found:
        # Said on the page: no rows is the good answer. It must be one here, too.
        assert query.note == "no rows is the good answer"
        assert lake.sql("SELECT 1 FROM ops.intervals WHERE state = 'failed'") == []
        assert lake.rows("silver.quarantine") == []
        return
    assert any(value is not None for row in found for value in row.values())


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_queries_do_what_numbers_allow(query: Block) -> None:
    assert misuses(query.text) == ()


def test_only_one_query_may_have_no_answer() -> None:
    assert len([q for q in QUERIES if q.note]) == 1


def test_the_cookbook_is_run_whole() -> None:
    assert [q for q in ALL if q.page == COOKBOOK and q not in QUERIES] == []


def test_the_first_answer_is_what_the_tables_say(lake: Lake) -> None:
    """The figures of a day, added by hand."""
    (first,) = (q for q in QUERIES if q.heading.startswith("How are we doing"))
    days = {r["date"]: r for r in lake.sql(first.text)}
    events = [r for r in lake.rows("silver.fact_events") if not r["removed_at"]]
    assert len(days) > 10
    for day, row in days.items():
        of_day = [r for r in events if r["event_date_local"] == day]
        assert row["viewers"] == len({r["visitor_id"] for r in of_day})
        assert row["hours"] == round(sum(r["watch_milliseconds"] or 0 for r in of_day) / 3.6e6, 1)
