"""The pages as Streamlit runs them, without a browser."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.lakes import EVIL
from support.lake import START, Lake
from support.some import some
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake_dashboard import words
from wistlake_dashboard.app import PAGES
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.spreadsheet import to_csv

pytestmark = pytest.mark.engine
SCRIPT = Path(__file__).parents[2] / "src/wistlake/entrypoints/dashboard.py"


def one_page(number: int, folder: str) -> None:
    """Streamlit runs this function's text: it stands alone."""
    import time
    from datetime import UTC, datetime
    from pathlib import Path

    from wistlake.settings import Settings
    from wistlake.wiring.lake import Published
    from wistlake.wiring.laptop import LaptopLake
    from wistlake.wiring.runtime import Runtime
    from wistlake_dashboard.app import PAGES, show

    runtime = Runtime(lambda: datetime.now(UTC), time.monotonic)
    lake = LaptopLake(Settings(lake=Path(folder)), runtime)
    show(Published(lake), PAGES[number : number + 1])


def shown(number: int, folder: Path, **address: str) -> AppTest:
    app = AppTest.from_function(one_page, args=(number, str(folder)), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def everything(app: AppTest) -> str:
    return " ".join(str(e.value) for e in app.main if hasattr(e, "value"))


@pytest.mark.parametrize("number", range(len(PAGES)), ids=[p.title for p in PAGES])
def test_every_page_draws(lake: Lake, number: int) -> None:
    app = shown(number, lake.folder)
    assert not app.exception
    assert app.title[0].value == PAGES[number].title
    assert ("media days verified against Wistia" in everything(app)) is (PAGES[number].path == "quality")


def test_the_entry_point_reads_the_lake_of_the_settings(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISTLAKE_LAKE", str(lake.folder))
    app = AppTest.from_file(SCRIPT, default_timeout=60).run()
    assert not app.exception
    assert app.title[0].value == "Overview"


def test_tiles_are_what_a_query_says_of_the_chosen_days_and_media(lake: Lake) -> None:
    first, media_id = lake.sql("SELECT min(date) AS d, min(media_id) AS m FROM gold.fact_media_daily")[
        0
    ].values()
    app = shown(0, lake.folder, **{"period": "custom", "from": str(first), "to": str(first)})
    app.multiselect(key="media").set_value([media_id]).run()
    (row,) = lake.sql(
        "SELECT sum(plays)::BIGINT AS plays, sum(loads)::BIGINT AS loads FROM gold.fact_media_daily "
        f"WHERE date = DATE '{first}' AND media_id = '{media_id}'"
    )
    tiles = {m.label: m.value for m in app.metric}
    assert tiles["Plays"] == f"{row['plays']:,}"
    assert tiles["Plays per load"] == f"{row['plays'] / row['loads']:.2f}"


def test_a_channel_leaves_what_is_known_of_channels(lake: Lake) -> None:
    (row,) = lake.sql(
        "SELECT channel, count(*) AS n FROM gold.channel_daily GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    )
    app = shown(0, lake.folder)
    app.multiselect(key="channels").set_value([row["channel"]]).run()
    tiles = {m.label: m.value for m in app.metric}
    assert not app.exception
    assert "Plays in sessions" in tiles
    assert "Plays per load" not in tiles


def test_what_is_not_known_is_a_dash_in_every_table(lake: Lake) -> None:
    shown_tables = [t.proto for n in range(len(PAGES)) for t in shown(n, lake.folder).dataframe]
    assert {t.placeholder for t in shown_tables} == {words.NOTHING}


def test_every_tile_has_its_definition(lake: Lake) -> None:
    assert all(m.proto.help for m in some(shown(0, lake.folder).metric))


# The only HTML in Markdown: a line through numbers.
SPARK = re.compile(r'<svg [^<>]*><g class="line a"><path d="[ML\d. ]*"></path></g></svg>')


@pytest.mark.parametrize("number", range(len(PAGES)), ids=[p.title for p in PAGES])
def test_names_are_never_markup(lake: Lake, number: int) -> None:
    """Names may stand where text is text (tables, charts, lists), never in Markdown or HTML."""
    app = shown(number, lake.folder)
    marked = [
        e for kind in ("markdown", "caption", "header", "title", "info", "error") for e in app.get(kind)
    ]
    assert marked
    assert [e.value for e in marked if EVIL[:8] in e.value] == []
    html = [e.value for e in marked if getattr(e, "allow_html", False)]
    assert [text for text in html if not SPARK.fullmatch(text)] == []


def test_one_day_and_one_media_draw_on_every_page(lake: Lake) -> None:
    (row,) = lake.sql("SELECT max(date) AS d, min(media_id) AS m FROM gold.fact_media_daily")
    for number in range(len(PAGES)):
        day = str(row["d"])
        app = shown(number, lake.folder, **{"period": "custom", "from": day, "to": day, "media": row["m"]})
        assert not app.exception


@pytest.mark.parametrize("number", range(len(PAGES)), ids=[p.title for p in PAGES])
def test_an_empty_lake_says_so(tmp_path: Path, number: int) -> None:
    folder = LakeFolder(tmp_path / "lake")
    folder.open("UTC", START)
    SqliteLedger(folder.ledger)
    app = shown(number, tmp_path / "lake")
    assert not app.exception
    assert "Nothing is published yet" in everything(app)


def test_no_lake_is_said_with_its_cure(tmp_path: Path) -> None:
    app = shown(0, tmp_path / "nowhere")
    assert not app.exception
    assert "can't be read" in app.error[0].value


def test_csv_holds_no_formula() -> None:
    rows = [{"name": "=HYPERLINK(1)", "n": -3}, {"name": "@x", "n": None}, {"name": "a,b", "n": 1}]
    assert to_csv(["name", "n"], rows).splitlines() == ["name,n", "'=HYPERLINK(1),-3", "'@x,", '"a,b",1']


class Counting:
    """Counts its queries."""

    def __init__(self) -> None:
        self.queries = 0

    def sql(self, text: str) -> Any:
        self.queries += 1
        return pa.table({"n": [self.queries]})


def test_a_figure_is_read_once_a_publication() -> None:
    def total(query: Counting, about: str) -> int:
        return int(query.sql(re.escape(about))["n"][0].as_py())

    query = Counting()
    read = Reader(query)
    assert [read(total, "a"), read(total, "b"), read(total, "a")] == [1, 2, 1]
    assert query.queries == 2
