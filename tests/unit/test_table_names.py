"""Where a query names tables, and where the same word is something else."""

import pytest

from wistlake.adapters.table_names import tables_named


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT a, b.c FROM x, \"S\" . y AS z JOIN w ON a = b, v", ["x", "s.y", "w", "v"]),
        ("SELECT DISTINCT 1 FROM x WHERE a IN (SELECT b, c FROM y) GROUP BY d, e", ["x", "y"]),
        ("SELECT a FROM (x JOIN (SELECT b, c FROM y) z ON d IS NOT DISTINCT FROM e), w", ["x", "y", "w"]),
        ("SELECT 1 FROM x, UNNEST(b) WITH ORDINALITY AS t, LATERAL (SELECT 1 FROM y)", ["x", "unnest", "y"]),
        ("SELECT a FROM (VALUES (b, c)) AS t (d, e) UNION (TABLE x) ORDER BY f, g", ["x"]),
        ("SELECT 'FROM a', \"FROM b\" /* FROM c */ -- FROM d\nFROM x", ["x"]),
        ("WITH x AS (SELECT a FROM y), z (a, b) AS (SELECT c, d FROM x) SELECT e, f FROM X, z, s.x", ["y", "s.x"]),
        ("WITH x AS (SELECT a FROM x WHERE b) SELECT c FROM x", ["x"]),
        ("WITH RECURSIVE x AS (SELECT a FROM y UNION ALL SELECT b FROM x) SELECT c FROM x", ["y"]),
        ("SELECT a FROM (WITH x AS (SELECT b FROM y) SELECT c FROM x) JOIN x ON d", ["y", "x"]),
    ],
)  # fmt: skip
def test_a_table_is_what_follows_from_join_or_a_comma_of_from(text: str, names: list[str]) -> None:
    found = tables_named(text)
    assert [table.name for table in found] == names
    assert all(text[t.start : t.end].replace('"', "").replace(" ", "").lower() == t.name for t in found)
