"""The laptop's parts: a folder, sqlite, Sail or Spark on this machine, DuckDB for readers."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wistlake import machine
from wistlake.adapters.local import damage, disk
from wistlake.adapters.local.budget import SqliteBudget
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.adapters.local.scratch import SCRATCH, sweep
from wistlake.adapters.notify import CommandNotifier, Several, SlackNotifier, WebhookNotifier
from wistlake.channel_rules import DEFAULT_RULES, Rule
from wistlake.channel_rules import read as read_rules
from wistlake.contracts import SOURCES, source
from wistlake.contracts.form import Calendar, Source
from wistlake.derive.pseudonym import pseudonym
from wistlake.errors import ConfigError, WistlakeError, unknown
from wistlake.insight.doctor import FAILED, OK, UNKNOWN, Check, looked_at
from wistlake.insight.raw_pages import damaged as damaged_raw_pages
from wistlake.pipeline.run.lake import LAKE
from wistlake.pipeline.run.spec import Dependencies, MediaChoice, Redact, RunSpec
from wistlake.planning.calendar import last_finished
from wistlake.planning.intervals import Interval, MediaEntry
from wistlake.planning.plan import HORIZON, Window
from wistlake.ports import Notifier, Query, TableStore
from wistlake.privacy.redaction import page as masked_page
from wistlake.privacy.redaction import redact
from wistlake.quality.metrics import views
from wistlake.settings import Settings
from wistlake.wistia import Connection, WistiaClient

if TYPE_CHECKING:
    import httpx2

    from wistlake.adapters.aws.ledger import DynamoLedger
    from wistlake.adapters.aws.objects import S3Objects
    from wistlake.adapters.local.upkeep import LocalUpkeep
    from wistlake.wistia.client import Probe

WISTIA_HOST = "api.wistia.com"


@dataclass(frozen=True, slots=True)
class Runtime:
    """What entry points bring along: the clock, real or given, and in tests the network and its time."""

    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    transport: "httpx2.AsyncBaseTransport | None" = None
    client_options: tuple[tuple[str, Any], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def connection(settings: Settings) -> Connection:
    """How to reach Wistia. ConfigError if the token is missing."""
    return Connection(
        token=settings.require_token(),
        base_url=settings.base_url,
        api_version=settings.api_version,
        auth=settings.auth,
        timeout_seconds=settings.timeout_seconds,
        per_page=settings.per_page,
        max_concurrency=settings.max_concurrency,
    )


class NoBudget:
    """For a source that is not Wistia: no pace to keep."""

    def reserve(self, requests: int = 1) -> float:
        """Never waits."""
        return 0.0

    def pause(self, seconds: float) -> None:
        """Nobody to tell."""


def client(settings: Settings, outside: Runtime, *, pace: bool = True) -> WistiaClient:
    """The source client, on the lake's own request budget."""
    reach = connection(settings)
    folder = here(settings)
    folder.make()
    wall = outside.clock
    budget = SqliteBudget(folder.budget, reach.account, settings.requests_per_minute) if pace else NoBudget()
    return WistiaClient(reach, budget, transport=outside.transport, wall=wall, **dict(outside.client_options))


def notifier(settings: Settings, outside: Runtime) -> Notifier:
    """Every channel that is set."""
    secrets = settings.secrets()
    channels: list[Notifier] = []
    if settings.notify_command:
        channels.append(CommandNotifier(settings.notify_command, outside.environment, secrets=secrets))
    if settings.notify_webhook:
        channels.append(WebhookNotifier(settings.notify_webhook.get_secret_value(), secrets=secrets))
    if settings.slack_webhook_url:
        channels.append(SlackNotifier(settings.slack_webhook_url.get_secret_value(), secrets=secrets))
    return Several(channels)


def here(settings: Settings) -> LakeFolder:
    """The lake's folder. ConfigError if the settings name one on AWS, where the stack's own steps do the work."""
    if settings.place == "aws":
        raise ConfigError(
            "WISTLAKE_PLACE is aws: there the state machine does this, start an execution of it; "
            "or set WISTLAKE_PLACE=laptop"
        )
    return LakeFolder(settings.lake)


def ledger(settings: Settings, *, read_only: bool = False) -> "SqliteLedger | DynamoLedger":
    """The lake's ledger; the lake must be there, for writers all of it."""
    if settings.place == "aws":
        from wistlake.wiring import aws

        return aws.ledger(settings)
    folder = LakeFolder(settings.lake)
    folder.readable()
    if not read_only:
        folder.require_whole()
    return SqliteLedger(folder.ledger, read_only=read_only)


def known(settings: Settings) -> tuple[Sequence[MediaEntry], Sequence[Interval]]:
    """What the ledger knows; nothing, where there is no lake yet."""
    if settings.place == "laptop" and LakeFolder(settings.lake).is_new():
        return (), ()
    found = ledger(settings, read_only=True)
    return found.media(), found.intervals()


def query_folder(lake: Path) -> Query:
    """SQL over the published tables of the lake in a folder; the settings take no part."""
    from wistlake.adapters.duckdb_query import DuckDBQuery

    folder = LakeFolder(lake)
    folder.readable()
    return DuckDBQuery(
        SqliteLedger(folder.ledger, read_only=True), views(), inspector=damage.inspector(folder)
    )


def objects(settings: Settings) -> "LocalObjects | S3Objects":
    """The lake's raw pages."""
    if settings.place == "aws":
        from wistlake.wiring import aws

        return aws.objects(settings)
    return LocalObjects(settings.lake)


def files(lake: Path) -> LocalObjects:
    """The objects of the lake in a folder; the settings take no part."""
    return LocalObjects(lake)


def ledger_of(lake: Path) -> SqliteLedger:
    """The ledger of the lake in a folder, for readers; the settings take no part."""
    folder = LakeFolder(lake)
    folder.readable()
    return SqliteLedger(folder.ledger, read_only=True)


def upkeep(settings: Settings) -> "LocalUpkeep":
    """What maintains the tables."""
    from wistlake.adapters.local.upkeep import LocalUpkeep

    return LocalUpkeep(here(settings).root)


def zone_of(settings: Settings) -> str:
    """The zone that the lake's days are in, whatever the settings say."""
    return str(here(settings).described()["zone"])


def change_zone(settings: Settings) -> None:
    """Let the lake's days be in the settings' zone."""
    folder = here(settings)
    folder.write_marker({**folder.described(), "zone": settings.account_timezone})


@contextmanager
def read_only_catalog(settings: Settings, port: int) -> Iterator[str]:
    """Serve what is published for readers while the block runs; its URI."""
    from wistlake.adapters.local import rest_catalog
    from wistlake.adapters.local.published_catalog import PublishedCatalog
    from wistlake.adapters.table_files import FilesInspector

    if settings.place == "aws":
        from wistlake.wiring import aws

        looker = FilesInspector(aws.table_files(settings))
    else:
        looker = damage.inspector(here(settings))
    published = PublishedCatalog(ledger(settings, read_only=True), looker)
    with rest_catalog.serve(published, port, read_only=True) as uri:
        yield uri


def backup(settings: Settings, target: Path) -> int:
    """Copy the lake to a folder or tar; its bytes. The caller holds the lease."""
    from wistlake.adapters.local import lake_archive

    return lake_archive.backup(here(settings).root, target)


def restore(source: Path, lake: Path) -> None:
    """Bring a copy to life at `lake`."""
    from wistlake.adapters.local import lake_archive

    lake_archive.restore(source, lake)


async def probe(settings: Settings, outside: Runtime) -> "Probe":
    """Ask Wistia whether the token works. Raises what the client raises."""
    reach = connection(settings)
    options = dict(outside.client_options)
    async with WistiaClient(
        reach, NoBudget(), transport=outside.transport, wall=outside.clock, **options
    ) as c:
        return await c.probe()


def examine(settings: Settings, outside: Runtime) -> Iterator[Check]:
    """Token and reachability, lake, engine, disk and clock."""
    try:
        found = asyncio.run(probe(settings, outside))
        yield Check("token", OK, f"{found.host} answers in {found.seconds:.1f} s")
    except WistlakeError as e:
        yield Check("token", FAILED, str(e))
    if settings.place == "aws":
        from wistlake.wiring import aws

        yield aws.examine(settings)
    else:
        yield from _examine_here(settings, outside)
    year = outside.clock().year
    yield Check("clock", OK if 2026 <= year < 2100 else FAILED, f"{outside.clock():%Y-%m-%d %H:%M} UTC")


def look_deep(settings: Settings) -> Iterator[Check]:
    """Every file of the lake against what was written down of it."""
    if settings.place == "aws":
        from wistlake.wiring import aws

        yield from aws.look_deep(settings)
        return
    folder = here(settings)
    folder.readable()
    for name, found in (
        ("databases", damage.databases(folder)),
        ("tables", damage.tables(folder)),
        ("raw pages", damaged_raw_pages(LocalObjects(folder.root))),
    ):
        yield looked_at(name, found)
    yield _sealed(folder)


def _sealed(folder: LakeFolder) -> Check:
    from wistlake.adapters.local.checksums import unsealed

    count = unsealed(folder.root)
    said = (
        f"{count} files have none yet: the next run that builds gives them theirs"
        if count
        else "all files have one"
    )
    return Check("deep: checksums", UNKNOWN if count else OK, said)


def _examine_here(settings: Settings, outside: Runtime) -> Iterator[Check]:
    folder = LakeFolder(settings.lake)
    try:
        if folder.exists():
            folder.open(settings.account_timezone, outside.clock())
        yield Check("lake", OK, str(folder.root) if folder.exists() else "none yet: the first run begins it")
    except WistlakeError as e:
        yield Check("lake", FAILED, str(e))
    yield from _engine(settings)
    there = disk.nearest(folder.root)
    free = shutil.disk_usage(there).free / 1e9
    writable = os.access(there, os.W_OK)
    enough = free >= 1 and writable
    yield Check("disk", OK if enough else FAILED, f"{free:.1f} GB free, {'' if writable else 'not '}writable")


_GUARDED = {
    "namespace": (OK, "in a network of its own: nobody else reaches it"),
    "sealed": (OK, "closed behind the one connection of a run: nobody else reaches it"),
    "open": (
        UNKNOWN,
        "other users of this machine reach it while a run builds, and the lake with it: run where nobody else can",
    ),
}


def _engine(settings: Settings) -> Iterator[Check]:
    """Whether the engine starts, and who else could reach it."""
    try:
        if settings.engine == "spark":
            from wistlake.adapters.engine import spark as local_spark

            yield Check("engine", OK, f"spark, Java at {local_spark.java_home()}")
            yield Check("engine's port", OK, "asks for a secret that is new in every run")
            return
        if find_spec("pysail") is None:
            yield Check("engine", FAILED, "sail is not installed: pip install 'wistlake[laptop]'")
            return
        from wistlake.adapters.engine import sail

        isolation = sail.isolation()
        yield Check("engine", OK, "sail")
        yield Check("engine's port", *_GUARDED[isolation])
    except WistlakeError as e:
        yield Check("engine", FAILED, str(e))


def query(settings: Settings) -> Query:
    """SQL over the published tables."""
    if settings.place == "aws":
        from wistlake.wiring import aws_reading

        return aws_reading.query(settings)
    from wistlake.adapters.duckdb_query import DuckDBQuery

    folder = here(settings)
    return DuckDBQuery(ledger(settings, read_only=True), views(), inspector=damage.inspector(folder))


@dataclass(frozen=True, slots=True)
class Published:
    """What the dashboard reads: the newest publication of this machine's lake."""

    settings: Settings

    def version(self) -> str:
        """The publication and the newest run, as one text."""
        kept = ledger(self.settings, read_only=True)
        published = kept.publication()
        runs = [f"{r.run_id} {r.status}" for r in kept.runs(1)]
        return " ".join([published.run_id if published else "nothing", *runs])

    def open(self) -> Query:
        """SQL over it."""
        return query(self.settings)


def published(settings: Settings) -> Published:
    """What the dashboard reads."""
    return Published(settings)


def window(settings: Settings, now: datetime, start: date | None = None, end: date | None = None) -> Window:
    """The days of a daily run at `now`, or of those that were named."""
    return Window(
        now,
        settings.tz,
        settings.lookback_days,
        start,
        end,
        start_date=settings.start_date,
        include_open_days=settings.include_open_days,
    )


def oldest_day(now: datetime) -> date:
    """The oldest day that Wistia may still have events of."""
    return last_finished(Calendar.UTC, now, UTC) - HORIZON


def load_engine() -> None:
    """Import what `tables` needs: most of a small run's time, if it is done one after the other."""
    import pyspark.sql.connect.session  # noqa: F401

    import wistlake.adapters.engine.sail
    import wistlake.adapters.local.catalog
    import wistlake.pipeline.tables.gold
    import wistlake.pipeline.tables.silver  # noqa: F401


def tables(settings: Settings) -> Callable[[], AbstractContextManager[TableStore]]:
    """Starts the engine that the settings name, with the lake's catalog, for the length of a block."""

    @contextmanager
    def started() -> Iterator[TableStore]:
        from wistlake.adapters.engine import path_alias as plain_name
        from wistlake.adapters.engine import sail
        from wistlake.adapters.engine import spark as local_spark
        from wistlake.adapters.engine.tables import EngineTables, wipe
        from wistlake.adapters.local import checksums
        from wistlake.adapters.local.catalog import LocalCatalog

        folder = here(settings)
        machine.open_enough_files()
        with disk.explained(folder.root), damage.explained(folder):
            catalog = LocalCatalog(folder.root)
            catalog.require(SqliteLedger(folder.ledger, read_only=True).publication())
            engine = sail.session if settings.engine == "sail" else local_spark.session
            scratch = folder.staging / settings.engine
            # What a run that died has staged goes first; the engine's own scratch lies there too.
            wipe(folder.staging)
            with (
                plain_name.alias(folder.root) as lake,
                engine(catalog.sql, scratch, around=lake.around) as spark,
            ):
                yield EngineTables(spark, catalog, Path(lake.place(str(folder.staging))), place=lake.place)
            wipe(folder.staging)
            catalog.require(None)
            damage.require_tables(folder)
            checksums.seal(folder.root)

    return started


def parts(settings: Settings, outside: Runtime, *, pace: bool = True) -> Dependencies:
    """Everything that a run needs. Checks the lake; ConfigError with the cure if it is not this one."""
    folder = here(settings)
    machine.open_enough_files()
    described = folder.open(settings.account_timezone, outside.clock())
    sweep(folder.root.parent, SCRATCH)
    chain = folder.key_chain()
    kept = SqliteLedger(folder.ledger)
    if kept.facts(LAKE) != described:  # the marker's second home
        kept.put_facts(LAKE, described)

    return Dependencies(
        objects=LocalObjects(folder.root),
        ledger=kept,
        tables=tables(settings),
        client=lambda: client(settings, outside, pace=pace),
        notifier=notifier(settings, outside),
        keys=lambda: chain.keys,
        clock=outside.clock,
        monotonic=outside.monotonic,
        redact=redaction(settings, lambda: chain.keys),
        warm=load_engine if settings.engine == "sail" else lambda: None,
        on_the_network=outside.transport is None,
    )


def redaction(settings: Settings, keys: Callable[[], tuple[bytes, ...]]) -> Redact | None:
    """Personal values are cut before landing; the visitor's key is replaced by a stand-in that no one can
    turn back, so that visitors stay distinct."""
    if not settings.bronze_redaction:
        return None

    def cut(contract: Source, record: dict[str, Any]) -> dict[str, Any]:
        key = record.get("visitor_key")
        page = record.get("embed_url")
        stand_ins = {}
        if isinstance(key, str) and key:
            stand_ins["visitor_key"] = pseudonym(keys()[:1], key)
        if isinstance(page, str):
            stand_ins["embed_url"] = masked_page(page)
        return redact(contract, record, stand_ins)

    return cut


def run_spec(  # noqa: PLR0913 - what may be asked for
    settings: Settings,
    *,
    run_id: str,
    trigger: str,
    now: datetime,
    start: date | None = None,
    end: date | None = None,
    media: tuple[str, ...] = (),
    datasets: tuple[str, ...] = (),
    build_only: bool = False,
    only: frozenset[tuple[str, str, date]] | None = None,
    accept_shrink: frozenset[str] = frozenset(),
) -> RunSpec:
    """The settings, and what was asked for, as one order."""
    if start and end and start > end:
        raise ConfigError(f"--from {start} is after --to {end}: swap them")
    if start and start > now.date():
        raise ConfigError(f"--from {start} is in the future: today is {now.date()} (UTC)")
    if end and end < (oldest := oldest_day(now)):
        raise ConfigError(f"--to {end}: Wistia keeps events for two years, {oldest} is the oldest day left")
    ids = media or settings.require_media()
    return RunSpec(
        run_id=run_id,
        trigger=trigger,
        origin="live" if urlsplit(settings.base_url).hostname == WISTIA_HOST else "simulated",
        zone_name=settings.account_timezone,
        window=window(settings, now, start, end),
        sources=_sources(datasets or settings.datasets),
        choice=MediaChoice(ids, settings.media_folder or None, settings.media_tag or None),
        max_concurrency=settings.max_concurrency,
        rules=channel_rules(settings.channels),
        build_only=build_only,
        only=only,
        accept_shrink=accept_shrink,
    )


def _sources(names: tuple[str, ...]) -> tuple[Source, ...]:
    known = [s.name for s in SOURCES]
    for name in names:
        if name not in known:
            raise unknown("dataset", name, known)
    return tuple(source(s.name) for s in SOURCES if s.name in names)


def channel_rules(path: Path | None) -> tuple[Rule, ...]:
    """The rules of the file that the settings name, or the built-in ones."""
    return DEFAULT_RULES if path is None else read_rules(path)


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)
