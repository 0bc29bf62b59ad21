"""Every query of the documentation is asked, and has an answer."""

import re

import pytest

import wistlake
from docs.answers import ANSWERS, Facts, same
from docs.pages import ROOT, Block, blocks
from support.lake import Lake
from wistlake.quality.metrics import misuses

COOKBOOK = ROOT / "docs" / "cookbook.md"
ALL = blocks("sql")
QUERIES = [q for q in ALL if q.note not in ("not run: Athena's dialect", "not run: Spark's dialect")]
COOKED = [q for q in QUERIES if q.page == COOKBOOK]
pytestmark = pytest.mark.engine


def test_there_are_as_many_questions_as_it_says() -> None:
    asked = [b.heading for b in QUERIES if b.page == COOKBOOK]
    assert len(asked) == 22
    assert len(set(asked)) == 22
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


@pytest.fixture(scope="module")
def facts(lake: Lake) -> Facts:
    """What is true of the lake; its silver is ahead of its gold, and some people have only converted."""
    found = Facts(lake)
    assert len(found.listed) > len(found.sessions)
    people = found.by("visitor_id").values()
    assert any(all(r["conversion_type"] for r in rows) for rows in people)
    return found


def test_every_question_of_the_cookbook_has_an_answer_to_compare_with() -> None:
    assert set(ANSWERS) == {b.heading for b in COOKED}


@pytest.mark.parametrize("query", COOKED, ids=lambda q: q.heading)
def test_the_answer_is_what_plain_arithmetic_gives(query: Block, facts: Facts) -> None:
    answer, key = ANSWERS[query.heading]
    wanted = sorted(answer(facts), key=key)
    found = wistlake.open(facts.lake.folder).sql(query.text).to_pylist()
    assert bool(wanted) is not bool(query.note)
    limit = re.search(r"LIMIT (\d+)", query.text)
    assert len(found) == min(len(wanted), int(limit[1]) if limit else len(wanted))
    for row in found:
        assert row.keys() == wanted[0].keys()
        assert [w for w in wanted if all(same(n, v, row[n]) for n, v in w.items())], row
    assert len({str(row) for row in found}) == len(found)
    order = [key(row) for row in found]
    assert order == sorted(order)
    # What a limit cuts off comes after what is shown.
    assert all(a == pytest.approx(b, abs=0.06) for a, b in zip(map(key, wanted), order, strict=False))
