"""What both engines are told, each in an environment of its own. As a program it is told to Spark, in the given folder.

The ten days of `support.stories`, but with runs on few of them, for each costs Spark half a minute; what was
slept through is caught up. Runs are due at 02:15 and at 09:15 UTC, and the clocks change between them.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.evolution import gained
from support.lake import Lake, Scenario
from support.masks import NAMES, PAGES, names_of, pages_of
from support.plain import plain_records, read_both_ways
from support.stories import HOSTILE, LABELS, moment
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.contracts import SOURCES, fact_events
from wistlake.contracts.form import Column, Privacy, Type
from wistlake.derive.spark import typed

NEW_COLUMN = Column("media_name", Type.STRING, Privacy.NONE, "The media's name when the session was listed.")
FORMS, PLAIN, MASKED_OTHERWISE = "forms.json", "plain.json", "masked-otherwise.txt"
EARLY, LATE = moment(8, 2, 15), moment(9, 9, 15)
RUNS = (moment(0, 2, 15), EARLY, LATE)
SCENARIO = Scenario(
    replace(HOSTILE, canary="canary"),
    starts=RUNS[0],
    settings={"datasets": tuple(s.name for s in SOURCES)},
    labels=LABELS,
)


# Wistia's descriptions and its answers differ in these: each form must be read, and in the same way.
STAMPS = (
    "2026-03-03 05:00:00.000Z",  # observed
    "2026-03-03T05:00:00.000Z",  # described
    "2026-03-03T00:00:00-05:00",
    "2026-03-03 00:00:00.000-05:00",
)
TAGS = ('["vsl","paid"]', '[{"name":"vsl"},{"name":"paid"}]', '["paid",{"name":"vsl","id":3}]')


def tell(folder: Path, scenario: Scenario) -> None:
    """All runs but the last, and that one with a contract that has a column more."""
    lake = Lake(folder, scenario)
    for now in RUNS[:-1]:
        lake.run_day(now)
    with gained(fact_events.TABLE, NEW_COLUMN):
        lake.run_day(RUNS[-1])
    (folder / FORMS).write_text(json.dumps(read_forms(lake)))


def main(folder: Path) -> None:
    """The story on Spark, and after it which pages and names Spark masks otherwise: a Java starts once for both."""
    from support import java_names
    from wistlake.adapters.engine import spark as local_spark

    java_names.remember()
    tell(folder, SCENARIO.on("spark"))
    with local_spark.session(LocalCatalog(folder / "masks").sql, folder / "scratch") as spark:
        pages, names = pages_of(spark), names_of(spark)
    nowhere = (None, None, None)
    other = [
        url for url, stays in PAGES.items() if pages[url] != (stays, nowhere if stays[0] is None else stays)
    ]
    other += [text for text in NAMES if names[text] != NAMES[text]]
    (folder / MASKED_OTHERWISE).write_text("\n".join(other), encoding="utf-8")


def read_forms(lake: Lake) -> dict[str, list[Any]]:
    """What the engine makes of each of the forms, as the contracts' types."""
    kinds = {
        "stamps": (STAMPS, Type.TIMESTAMP, "cast({} as string)"),
        "tags": (TAGS, Type.STRINGS, "{}"),
    }
    with lake.parts(lake.settings()).tables() as store:
        both = {
            s.name: read_both_ways(store, lake.folder / "plain", s, plain_records(s, 150)) for s in SOURCES
        }
        (lake.folder / PLAIN).write_text(json.dumps(both))
        return {
            name: [
                row["value"]
                for row in store.spark.createDataFrame(list(enumerate(texts)), "place int, text string")
                .selectExpr("place", f"{shown.format(typed('text', kind))} as value")
                .orderBy("place")
                .collect()
            ]
            for name, (texts, kind, shown) in kinds.items()
        }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
