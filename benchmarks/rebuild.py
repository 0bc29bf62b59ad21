"""How fast a lake is rebuilt from bronze: Sail, against the same code on local Spark and a hand-written DuckDB job.

    python benchmarks/rebuild.py                      # 1,000,000 events, medians of three, alternating
    python benchmarks/rebuild.py --events 100000      # smaller
    python benchmarks/rebuild.py --only sail duckdb   # without Spark
    python benchmarks/rebuild.py --events 10000000    # ten times as large

Bronze is made once by a real backfill of the simulator (kept in --folder, so that a second call reuses it). Of
more than a million events only the first million are simulated; the others are copies of their landings under
media, session and visitor keys of their own: the same days, hours and pages, ten times as many people and media.
Every build is a process of its own, with a fresh warehouse; printed are its wall and processor seconds, its peak
memory (of the whole process tree), and the ratios; on a machine that does something else too, that of processor
time. The DuckDB job makes the same tables by hand-written SQL and commits them with PyIceberg; it compares nothing
with what was there, keeps no history, and counts nothing twice.
"""

import argparse
import asyncio
import gzip
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

FIRST = date(2026, 3, 2)
DAYS = 50
SIMULATED = 1_000_000  # events; more are copied
MEDIA = 4
#: Sessions that the simulated world makes of each one asked for (weekdays, weights of media).
SHARE = 0.745
NOW = datetime.combine(FIRST + timedelta(days=DAYS), datetime.min.time(), UTC) + timedelta(hours=9)
ENGINES = ("sail", "spark", "duckdb")


def settings(lake: Path, engine: str = "sail"):
    """Settings of the benchmark's lake, and nothing of this machine's."""
    from wistlake.settings import Settings

    return Settings(
        token="simulated", media_ids=("all",), lake=lake, engine=engine,
        start_date=FIRST, datasets=("media_metadata", "media_by_date", "events"),
    )  # fmt: skip


def bronze_of(place: Path, events: int) -> Path:
    """The folder in `place` with bronze of as many events, made if it is not there."""
    folder = place / f"bronze-{events}"
    if folder.exists():
        return folder
    times, rest = divmod(events, SIMULATED)
    if times <= 1:
        # In a process of its own: a build's would inherit this one's peak memory.
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [sys.executable, __file__, "--make", str(unfinished), "--events", str(events)]
        subprocess.run(command, check=True)
        unfinished.rename(folder)
    elif rest:
        sys.exit(f"--events {events}: above {SIMULATED:,} only its multiples can be made")
    else:
        clone_bronze(folder, bronze_of(place, SIMULATED), times)
    return folder


def make_bronze(folder: Path, events: int) -> None:
    """A real backfill through the client, landings only."""
    from wistia_simulator import Profile, ServerOptions, World, create_app, transport
    from wistlake.pipeline.run.handover import Handover, begin
    from wistlake.pipeline.run.ingest import ingest
    from wistlake.pipeline.run.select import select
    from wistlake.wiring.laptop import LaptopLake
    from wistlake.wiring.runtime import Runtime
    from wistlake.wiring.spec import run_spec

    profile = Profile(media=MEDIA, sessions_per_day=events / DAYS / MEDIA / SHARE, history_days=DAYS + 2)
    world = World(1, profile, NOW, cached_rows=2 * events)
    app = create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    lake = LaptopLake(settings(folder), Runtime(world.clock.now, time.monotonic, transport(app)))
    spec = run_spec(lake.settings, run_id="bronze", trigger="backfill", now=NOW)
    deps = lake.dependencies(pace=False)

    async def landed() -> Handover:
        return await ingest(deps, await select(deps, begin(spec, NOW)))

    lines = asyncio.run(landed()).fetched.lines.values()
    print(f"bronze: {sum(line.rows for line in lines if line.dataset == 'events'):,} events")


def clone_bronze(folder: Path, original: Path, times: int) -> None:
    """`original`, and `times` - 1 copies of it beside it. Hashes of parts and payloads are those of the copies;
    the content hash, which only tells one landing from another, is made from the original's."""
    from wistlake import bronze
    from wistlake.adapters.local.ledger import SqliteLedger
    from wistlake.adapters.local.objects import LocalObjects

    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(original, unfinished)
    objects, ledger = LocalObjects(unfinished), SqliteLedger(unfinished / "ledger.db")
    media, intervals = ledger.media(), [i for i in ledger.intervals() if i.landing_id]
    for number in range(1, times):
        ids = {m.media_id: f"{m.media_id[:-2]}{number:02}" for m in media}
        ledger.put_media([replace(m, media_id=ids[m.media_id]) for m in media])
        copies = []
        for interval in intervals:
            manifest = bronze.decode_manifest(objects.get(bronze.manifest_key(interval.landing_id)))
            copy = copied(manifest, objects, ids[interval.media_id], number)
            objects.put(bronze.manifest_key(copy.landing_id), bronze.encode_manifest(copy))
            copies.append(
                replace(
                    interval,
                    media_id=copy.media_id,
                    landing_id=copy.landing_id,
                    content_hash=copy.content_hash,
                )
            )
        ledger.record(copies)
        print(f"bronze: copy {number} of {times - 1}", flush=True)
    unfinished.rename(folder)


def copied(manifest, objects, media_id: str, number: int):
    """The manifest of a copy of a landing; its parts are written on the way."""
    from wistlake import bronze

    landing = bronze.landing_id(manifest.dataset, media_id, manifest.day, manifest.run_id)
    parts = []
    for at, part in enumerate(manifest.parts, 1):
        text = gzip.decompress(objects.get(part.key)).replace(manifest.media_id.encode(), media_id.encode())
        for name in (b'"event_key":"', b'"visitor_key":"'):
            text = text.replace(name, name + b"%d-" % number)
        data, key = gzip.compress(text, compresslevel=1, mtime=0), bronze.part_key(landing, at)
        objects.put(key, data)
        parts.append(replace(part, key=key, bytes=len(data), sha256=bronze.sha256(data)))
    return replace(
        manifest,
        landing_id=landing,
        media_id=media_id,
        parts=tuple(parts),
        payload_sha256=bronze.payload_hash(parts),
        content_hash=bronze.sha256(f"{number} {manifest.content_hash}".encode()),
    )


def seeded(folder: Path):
    """The ledger of the bronze lake as it is right after landing."""
    from wistlake.adapters.local.ledger import SqliteLedger

    stored, fresh = (
        SqliteLedger(folder / "ledger.db", read_only=True),
        SqliteLedger(Path(tempfile.mkdtemp()) / "ledger.db"),
    )
    fresh.put_media(stored.media())
    fresh.record(
        replace(i, built_signature="", published_at=None) for i in stored.intervals() if i.landing_id
    )
    return fresh


def build_with_engine(folder: Path, engine: str, warehouse: Path) -> int:
    """One rebuild of everything; the rows of fact_events."""
    from wistlake.adapters.local.objects import LocalObjects
    from wistlake.adapters.notify import Several
    from wistlake.pipeline.run.driver import run
    from wistlake.wiring.laptop import LaptopLake
    from wistlake.wiring.runtime import Runtime
    from wistlake.wiring.spec import run_spec

    lake = LaptopLake(settings(warehouse, engine), Runtime(lambda: NOW, time.monotonic))
    own = lake.dependencies(pace=False)
    deps = replace(own, objects=LocalObjects(folder), ledger=seeded(folder), notifier=Several())
    spec = run_spec(lake.settings, run_id="rebuild", trigger="rebuild", now=NOW, build_only=True)
    result = run(spec, deps)
    return result.tables["silver.fact_events"]["new"]


# The yardstick: what an expert would write by hand for the same tables, with no thought for a second run.
DUCKDB_LINES = """
create table lines as
select _landing landing_id, _line line, r.event_key, try_cast(r.received_at as timestamptz) received_at, r.media_id,
  r.percent_viewed, nullif(r.country, '') country, nullif(r.region, '') region,
  nullif(r.conversion_type, '') conversion_type, r.media_url, r.user_agent_details.browser browser,
  r.user_agent_details.browser_version browser_version, r.user_agent_details.platform platform,
  r.user_agent_details.mobile is_mobile,
  substring(sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || encode(r.visitor_key)))), 1, 32) visitor_id,
  regexp_replace(lower(regexp_extract(r.embed_url, '^[a-zA-Z]+://([^/?#@]*@)?([^/:?#@]+)', 2)), '^[0-9.]+$', '[masked]') embed_host,
  masked(regexp_extract(r.embed_url, '^[a-zA-Z]+://[^/?#]+(/[^?#]*)', 1)) embed_path,
  masked(regexp_extract(r.embed_url, '[?&#]utm_source=([^&#]*)', 1)) utm_source,
  masked(regexp_extract(r.embed_url, '[?&#]utm_medium=([^&#]*)', 1)) utm_medium,
  masked(regexp_extract(r.embed_url, '[?&#]utm_campaign=([^&#]*)', 1)) utm_campaign,
  case when coalesce(r.event_key, '') = '' then 'missing_event_key'
       when coalesce(r.visitor_key, '') = '' then 'missing_visitor_key'
       when try_cast(r.received_at as timestamptz) is null then 'bad_received_at'
       when r.media_id is null then 'missing_media_id'
       when r.percent_viewed is null or r.percent_viewed not between 0 and 1 then 'bad_percent_viewed' end reason
from (select _landing, _line, record r from read_json({events}, format='newline_delimited', compression='gzip', columns={{
  _landing: 'VARCHAR', _line: 'BIGINT', record: 'STRUCT(event_key VARCHAR, received_at VARCHAR, media_id VARCHAR,
  visitor_key VARCHAR, percent_viewed DOUBLE, conversion_type VARCHAR, country VARCHAR, region VARCHAR, embed_url VARCHAR,
  media_url VARCHAR, user_agent_details STRUCT(browser VARCHAR, browser_version VARCHAR, platform VARCHAR, mobile BOOLEAN))'}}));
create table media as
select r.hashed_id media_id, r.id numeric_id, r.name title, r.type, r.status, r.archived, r.duration duration_seconds,
  coalesce(r.folder.name, r.project.name) folder, r.section subfolder, r.thumbnail.url thumbnail_url,
  try_cast(r.created as timestamptz) created_at, try_cast(r.updated as timestamptz) updated_at, pages.url,
  false is_deleted, now() observed_at, m._landing landing_id
from (select _landing, record r from read_json({media}, format='newline_delimited', compression='gzip', columns={{
  _landing: 'VARCHAR', record: 'STRUCT(hashed_id VARCHAR, id BIGINT, name VARCHAR, type VARCHAR, status VARCHAR, archived
  BOOLEAN, duration DOUBLE, folder STRUCT(name VARCHAR), project STRUCT(name VARCHAR), section VARCHAR,
  thumbnail STRUCT(url VARCHAR), created VARCHAR, updated VARCHAR)'}})) m
left join (select media_id, max_by(media_url, received_at) url from lines where media_url <> '' group by 1) pages
  on pages.media_id = r.hashed_id;
create table by_date as
select regexp_extract(_landing, 'media_id=([^/]+)', 1) media_id, r.date::date as date, r.load_count, r.play_count,
  r.hours_watched hours_watched_modelled, now() observed_at, _landing landing_id
from (select _landing, record r from read_json({by_date}, format='newline_delimited', compression='gzip', columns={{
  _landing: 'VARCHAR', record: 'STRUCT(date VARCHAR, load_count BIGINT, play_count BIGINT, hours_watched DOUBLE)'}}));
create table typed as
select e.* exclude (line, media_url, reason), cast(received_at as date) event_date,
  cast(timezone('America/New_York', received_at) as date) as date,
  cast(floor(percent_viewed * m.duration_seconds * 1000 + 0.5) as bigint) watch_milliseconds, m.duration_seconds,
  coalesce({channel}, 'unclassified') channel, null::timestamptz removed_at, now() first_observed_at, now() observed_at, now() built_at
from lines e left join (select media_id, duration_seconds from media) m using (media_id)
where reason is null
qualify row_number() over (partition by event_key order by percent_viewed desc, received_at desc) = 1;
create table sessions as select *, {of_session} from typed;
"""
DUCKDB_TABLES = {
    "fact_events": (
        "select *, date event_date_local from typed order by event_date, received_at",
        "event_date",
    ),
    "quarantine": ("select * from lines where reason is not null", ""),
    "dim_media": ("select * from media", ""),
    "dim_media_history": ("select *, observed_at valid_from, true is_current from media", ""),
    "fact_media_by_date": ("select * from by_date", "date"),
    "media_by_date_observations": ("select * from by_date", "date"),
    "fact_media_daily": (
        (
            "select s.*, b.load_count loads, b.play_count plays, b.hours_watched_modelled from (select media_id, date,"
            " {of_media_day} from sessions group by 1, 2) s left join by_date b using (media_id, date)"
        ),
        "date",
    ),
    "fact_media_engagement": (
        (
            "select media_id, visitor_id, date, {of_visitor_day}, min(received_at) first_received_at,"
            " max(received_at) last_received_at from sessions group by 1, 2, 3"
        ),
        "date",
    ),
    "dim_visitor": (
        (
            "select visitor_id, min(received_at) first_seen_at, max(received_at) last_seen_at,"
            " count_if(conversion_type is null) play_count, count(*) sessions, count(distinct media_id) media_count,"
            " sum(watch_milliseconds)::bigint watch_milliseconds, unnest(max_by(struct_pack(country, region, browser, platform,"
            " is_mobile), struct_pack(received_at, event_key))) from typed group by 1"
        ),
        "",
    ),
    "channel_daily": ("select media_id, date, channel, {of_sessions} from sessions group by 1, 2, 3", "date"),
    "geo_daily": (
        (
            "select media_id, date, coalesce(country, '') country, coalesce(region, '') region, {of_sessions}"
            " from sessions group by 1, 2, 3, 4"
        ),
        "date",
    ),
    "device_daily": (
        (
            "select media_id, date, coalesce(platform, '') platform, coalesce(browser, '') browser,"
            " coalesce(is_mobile, false) is_mobile, {of_sessions} from sessions group by 1, 2, 3, 4, 5"
        ),
        "date",
    ),
    "embed_daily": (
        "select media_id, date, coalesce(embed_host, '') embed_host, {of_sessions} from sessions group by 1, 2, 3",
        "date",
    ),
    "reconciliation": (
        (
            "select media_id, date, b.play_count plays, count(e.event_key) events from by_date b left join typed e"
            " using (media_id, date) group by 1, 2, 3"
        ),
        "",
    ),
    "quality_results": (
        "select 'silver.fact_events' as table, count(*) checked, count(*) - count(visitor_id) violations from typed",
        "",
    ),
}


def duckdb_parts(folder: Path) -> dict[str, str]:
    """What stands in the yardstick's SQL: bronze's files, the key's pads, and the formulas that gold is counted by."""
    from wistlake.contracts.measures import OF_MEDIA_DAY, OF_SESSION, OF_SESSIONS
    from wistlake.derive.pseudonym import pads
    from wistlake.transforms.channels import DEFAULT_RULES, event_channel

    def columns(formulas, names=()) -> str:
        return ", ".join(f"{sql} {name}" for name, sql in formulas.items() if not names or name in names)

    pad, root = pads([b"k" * 32]), folder / "bronze/wistia"
    channel = re.sub(r"(\S+) rlike ('[^']*')", r"regexp_matches(\1, \2)", event_channel(DEFAULT_RULES))
    return {
        "outer": pad["_outer_1"],
        "inner": pad["_inner_1"],
        "channel": channel.replace("(?iu)", "(?i)").replace("\\\\", "\\"),
        "of_session": columns(OF_SESSION),
        "of_sessions": columns(OF_SESSIONS),
        "of_media_day": columns(OF_MEDIA_DAY),
        "of_visitor_day": columns(OF_MEDIA_DAY, ("plays_from_events", "sessions", "watch_milliseconds", "viewed_millionths")),
        **{
            name: str([str(p) for p in sorted((root / dataset).rglob("part-*.gz"))])
            for name, dataset in (("events", "events"), ("media", "media_metadata"), ("by_date", "media_by_date"))
        },
    }  # fmt: skip


def build_with_duckdb(folder: Path, warehouse: Path) -> int:
    """The yardstick: the same tables by hand-written SQL, committed with PyIceberg."""
    import duckdb
    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.transforms import DayTransform, MonthTransform

    from wistlake.derive import mask

    warehouse.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(
        "set timezone='UTC'; set threads=2; set memory_limit='6GB'; set preserve_insertion_order=false"
    )
    con.execute(
        f"create macro masked(v) as nullif(substring(regexp_replace(v, '{'|'.join(mask.PERSONAL)}', '[masked]', 'g'), 1, 200), '')"
    )
    parts = duckdb_parts(folder)
    for statement in DUCKDB_LINES.format(**parts).split(";\n"):
        if statement.strip():
            con.execute(statement)
    catalog = SqlCatalog("lake", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=warehouse.as_uri())
    catalog.create_namespace("lake")
    rows = 0
    for name, (sql, day) in DUCKDB_TABLES.items():
        made = con.execute(sql.format(**parts)).to_arrow_table()
        # Sums of whole numbers are of 128 bits, which Iceberg has no type for.
        types = {f.name: pa.int64() for f in made.schema if pa.types.is_decimal(f.type)}
        made = made.cast(pa.schema([pa.field(f.name, types.get(f.name, f.type)) for f in made.schema]))
        table = catalog.create_table(f"lake.{name}", made.schema)
        if day:
            with table.update_spec() as spec:
                spec.add_field(day, DayTransform() if day == "event_date" else MonthTransform())
        table.append(made.cast(table.schema().as_arrow()))
        rows = rows or made.num_rows
    return rows


def child(engine: str, folder: Path) -> None:
    """One build in this process; prints its figures as JSON."""
    os.environ["RUST_LOG"] = "error"
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        began = time.perf_counter()
        warehouse = Path(scratch) / "warehouse"
        rows = (
            build_with_duckdb(folder, warehouse)
            if engine == "duckdb"
            else build_with_engine(folder, engine, warehouse)
        )
        seconds = time.perf_counter() - began
        own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        figures = {
            "rows": rows,
            "seconds": round(seconds, 1),
            "cpu_seconds": round(sum(u.ru_utime + u.ru_stime for u in (own, children)), 1),
            "peak_mb": (own.ru_maxrss + max(java_peak_kb(), children.ru_maxrss)) // 1024,
        }
        print(json.dumps(figures))
        sys.stdout.flush()
        shutil.rmtree(warehouse, ignore_errors=True)
        os._exit(0)


def java_peak_kb() -> int:
    """Peak of the Java process that this one started, where there is one (Linux)."""
    peak = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if f"PPid:\t{os.getpid()}\n" in text and "VmHWM" in text:
            peak = max(peak, int(text.split("VmHWM:")[1].split()[0]))
    return peak


def main() -> None:
    """Make bronze, alternate the opponents, print medians and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "wistlake-benchmark")
    parser.add_argument("--child", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        make_bronze(asked.make, asked.events)
        return
    folder = asked.folder / f"bronze-{asked.events}"
    if asked.child:
        child(asked.child, folder)
    bronze_of(asked.folder, asked.events)
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in asked.only}
    for number in range(asked.rounds):
        for engine in asked.only:
            done = subprocess.run(
                [sys.executable, __file__, "--child", engine, "--events", str(asked.events), "--folder", str(asked.folder)],
                capture_output=True, text=True, timeout=1800, check=False,
            )  # fmt: skip
            if done.returncode:
                sys.exit(f"{engine} failed:\n{done.stderr[-3000:]}")
            figures[engine].append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(f"round {number + 1}: {engine} {figures[engine][-1]}", flush=True)
    medians = {
        engine: {name: statistics.median(f[name] for f in of) for name in ("seconds", "cpu_seconds")}
        for engine, of in figures.items()
    }
    for engine, of in figures.items():
        seconds, cpu = medians[engine].values()
        peak = max(f["peak_mb"] for f in of)
        print(
            f"{engine:7} median {seconds:6.1f} s, processor {cpu:6.1f} s   peak {peak:6.0f} MB   {of[0]['rows']:,} sessions"
        )
    for engine in medians:
        if engine != "sail" and "sail" in medians:
            wall, cpu = (medians["sail"][n] / medians[engine][n] for n in ("seconds", "cpu_seconds"))
            print(f"sail / {engine}: {wall:.2f}, processor {cpu:.2f}")


if __name__ == "__main__":
    main()
