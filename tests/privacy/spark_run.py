"""The product's frames on Apache Spark, its event log on and its sorts forced to the disk, watched for the key.

Run as a program: a folder for scratch files, one for the event log. Prints one JSON object: the files that
were looked at, those that held the key or a pad, and whether plans and errors were said and held it.
"""

import io
import json
import os
import sys
import threading
from contextlib import redirect_stdout, suppress
from datetime import UTC, date, datetime
from pathlib import Path

from privacy.key_texts import key_texts
from support.lake import KEY
from wistlake import bronze
from wistlake.adapters.engine import spark as local_spark
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.contracts import source

CONF = {
    "spark.eventLog.enabled": "true",
    "spark.eventLog.compress": "false",
    "spark.shuffle.compress": "false",
    "spark.shuffle.spill.compress": "false",
    "spark.broadcast.compress": "false",
    "spark.rdd.compress": "false",
    "spark.shuffle.spill.numElementsForceSpillThreshold": "50",
}
SESSIONS = 500


class Watch(threading.Thread):
    """Reads every file of the engine's scratch space as long as the engine runs."""

    def __init__(self, scratch: Path) -> None:
        super().__init__(daemon=True)
        self.scratch, self.done = scratch, threading.Event()
        self.seen: set[str] = set()
        self.held: set[str] = set()

    def run(self) -> None:
        while not self.done.wait(0.05):
            self.look()

    def look(self) -> None:
        for folder, _, names in os.walk(self.scratch):
            for name in names:
                self.read(Path(folder, name))

    def read(self, path: Path) -> None:
        with suppress(OSError):  # the engine removes its files as it likes
            if data := path.read_bytes():
                self.seen.add(path.name)
                if holds_key(data):
                    self.held.add(path.name)


def holds_key(data: bytes) -> bool:
    return any(text in data for text in key_texts(KEY))


def record(number: int) -> dict[str, object]:
    return {
        "event_key": f"event-{number % 400}", "received_at": "2026-03-01T10:00:00.000Z", "media_id": "m1",
        "visitor_key": f"visitor-{number}", "percent_viewed": 0.5 if number % 9 else "broken",
    }  # fmt: skip


def children(what: str) -> list[Path]:
    """A file of /proc of every process that this one has started."""
    pids = [pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()]
    return [Path("/proc", pid, what) for pid in pids]


def main(scratch: Path, log: Path) -> None:
    conf = log / "conf"
    conf.mkdir(parents=True)
    lines = {**CONF, "spark.eventLog.dir": f"file://{log}"}
    (conf / "spark-defaults.conf").write_text("".join(f"{k} {v}\n" for k, v in lines.items()))
    os.environ["SPARK_CONF_DIR"] = str(conf)
    os.environ["WISTIA_API_TOKEN"] = os.environ["SLACK_WEBHOOK_URL"] = "canary-of-the-environment"
    landing_id = bronze.landing_id("events", "m1", date(2026, 3, 1), "r1")
    part = log / "conf" / "part-00001.jsonl.gz"
    part.write_bytes(bronze.encode_lines(landing_id, [record(n) for n in range(SESSIONS)]))
    watch, said = Watch(scratch), io.StringIO()
    catalog = LocalCatalog(log / "conf" / "lake")
    with local_spark.session(catalog.sql, scratch, "512m") as spark, redirect_stdout(said):
        from pyspark.sql import functions as F

        from wistlake.transforms import fact_events, landing

        environments = [file.read_text(errors="replace") for file in children("environ")]
        watch.start()
        pads = landing.pads_frame(spark, [KEY])
        text = spark.read.text(str(part))
        about = landing.landing_frame(
            spark, [(landing_id, "m1", date(2026, 3, 1), datetime(2026, 3, 2, tzinfo=UTC), "events")]
        )
        typed = landing.parse(text, source("events"), about, pads, fact_events.derived(1), fact_events.RULES)
        hashes = landing.fingerprints(text, pads, 1)
        good = typed.where("reason is null")
        rows = fact_events.deduplicate(good, fact_events.repeated_keys(good)).join(
            hashes, on=["landing_id", "line"]
        )
        rows.explain(extended=True)
        assert len({r["visitor_id"] for r in rows.collect()}) > SESSIONS // 2
        try:
            rows.select(F.expr("raise_error(concat('at ', visitor_id))")).collect()
        except Exception as e:
            said.write(f"{e!r}\n{e}")
        watch.look()
    watch.done.set()
    watch.join()
    text = said.getvalue()
    found = {"seen": sorted(watch.seen), "held": sorted(watch.held), "said_key": holds_key(text.encode())}
    found |= {"processes": len(environments), "know_a_secret": sum("canary-of" in e for e in environments)}
    print(json.dumps({**found, "plan": "sha2(" in text, "error": "at " in text.partition("Py4J")[2]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
