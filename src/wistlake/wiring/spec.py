"""The settings and a command's options as a run's specification."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from wistlake import channel_rules
from wistlake.channel_rules import DEFAULT_RULES, Rule
from wistlake.contracts import SOURCES, source
from wistlake.contracts.form import ACCOUNT, Calendar, Source
from wistlake.errors import ConfigError, unknown
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.planning.calendar import last_finished
from wistlake.planning.plan import HORIZON, Window
from wistlake.ports import Ledger
from wistlake.settings import Settings
from wistlake.settings.values import InBucket
from wistlake.wiring import label_file

WISTIA_HOST = "api.wistia.com"


def run_spec(  # noqa: PLR0913 - one parameter for each option of a command
    settings: Settings,
    *,
    run_id: str,
    trigger: str,
    now: datetime,
    start: date | None = None,
    end: date | None = None,
    media: tuple[str, ...] = (),
    most: int | None = None,
    datasets: tuple[str, ...] = (),
    build_only: bool = False,
    only: frozenset[tuple[str, str, date]] | None = None,
    accept_shrink: frozenset[str] = frozenset(),
) -> RunSpec:
    """The specification of one run. ConfigError for days that Wistia can't serve, and for unknown datasets."""
    if start and end and start > end:
        raise ConfigError(f"--from {start} is after --to {end}: swap them")
    if start and start > now.date():
        raise ConfigError(f"--from {start} is in the future: today is {now.date()} (UTC)")
    if end and end < (oldest := oldest_day(now)):
        raise ConfigError(f"--to {end}: Wistia keeps events for two years, {oldest} is the oldest day left")
    ids = (media or settings.require_media())[:most]
    return RunSpec(
        run_id=run_id,
        trigger=trigger,
        origin="live" if urlsplit(settings.base_url).hostname == WISTIA_HOST else "simulated",
        zone_name=settings.account_timezone,
        window=window(settings, now, start, end),
        sources=_sources(datasets or settings.datasets),
        choice=MediaChoice(
            ids, settings.media_folder or None, settings.media_tag or None, most, is_named=bool(media)
        ),
        max_concurrency=settings.max_concurrency,
        rules=_rules(settings),
        build_only=build_only,
        only=only,
        accept_shrink=accept_shrink,
        tolerated_percent=settings.tolerated_percent,
        keep_city=settings.keep_city,
        labels=_labels(settings),
    )


def whole_lake(settings: Settings, ledger: Ledger, run_id: str, trigger: str, now: datetime) -> RunSpec:
    """A specification about everything that the lake holds, whatever media and datasets the settings follow today."""
    media = tuple(m.media_id for m in ledger.media()) or (ACCOUNT,)
    names = tuple(s.name for s in SOURCES)
    return run_spec(settings, run_id=run_id, trigger=trigger, now=now, media=media, datasets=names)


def window(settings: Settings, now: datetime, start: date | None = None, end: date | None = None) -> Window:
    """The days of a daily run at `now`, or the named ones."""
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


def _labels(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    lines = label_file.read(settings.labels, "WISTLAKE_LABELS") if settings.labels else {}
    return {media_id: line.labels for media_id, line in lines.items()}


def _rules(settings: Settings) -> tuple[Rule, ...]:
    """The channel rules of a file, of an object in a bucket, or the built-in ones."""
    place = settings.channels
    if place is None:
        return DEFAULT_RULES
    if not isinstance(place, InBucket):
        return channel_rules.read(place)
    from wistlake.adapters.aws.objects import S3Objects

    objects = S3Objects(place.bucket)
    if not objects.exists(place.key):
        raise ConfigError(f"WISTLAKE_CHANNELS: there is no {place}: put the file there, or unset it")
    return channel_rules.parsed(objects.get(place.key), str(place))


def _sources(names: tuple[str, ...]) -> tuple[Source, ...]:
    available = [s.name for s in SOURCES]
    for name in names:
        if name not in available:
            raise unknown("dataset", name, available)
    return tuple(source(name) for name in available if name in names)
