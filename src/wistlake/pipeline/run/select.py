"""First step: the media of a run as the ledger knows them, and the fetches that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date
from typing import Any

import structlog

from wistlake.contracts import source
from wistlake.errors import ConfigError, SourceMissing, SourceUnavailable, closest
from wistlake.pipeline import tombstone_copies
from wistlake.pipeline.run.account import read_totals
from wistlake.pipeline.run.handover import Handover, of_plan
from wistlake.pipeline.run.labels import give
from wistlake.pipeline.run.outcome import LEFT
from wistlake.pipeline.run.recover import recover
from wistlake.pipeline.run.spec import Client, Dependencies, MediaChoice, RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.intervals import Fetch, MediaEntry
from wistlake.planning.optional import FACTS as NOT_IN_PLAN
from wistlake.planning.optional import left_out
from wistlake.planning.packing import FACTS as SHARE
from wistlake.planning.packing import METADATA, share_of
from wistlake.planning.plan import exactly, first_day, plan
from wistlake.planning.sample import FACTS as SAMPLE
from wistlake.planning.sample import drawn_keys, sample, sample_of_the_day
from wistlake.ports import Ledger

log = structlog.get_logger()
PLAYABLE = ("Video", "Audio")
MOST_NAMED = 10


async def select(deps: Dependencies, handover: Handover) -> Handover:
    """First step: which media and days the run is about. The account is asked only where no media is named.

    New media are written to the ledger, with their own first day; so are the labels of the settings' file. What earlier
    runs landed and never recorded is recovered, and tombstones that the ledger has lost are read again, before anything
    is fetched.
    """
    spec, ledger = handover.plan.spec, deps.ledger
    media_ids, absent = await _media_ids(spec, deps)
    tombstone_copies.reload(deps.objects, ledger)
    view = LedgerView.of(ledger)
    recover(ledger, deps.objects, spec.run_id, view)
    media = _follow(spec, ledger, media_ids)
    _label(spec, ledger)
    left = _left(spec, ledger, media_ids)
    fetches = (*_final_checks(spec, left), *planned(spec, ledger, media, view))
    await read_totals(deps, spec, fetches, follows_all=_follows_all(spec.choice, media_ids, media))
    log.info("planned", run_id=spec.run_id, fetches=len(fetches), media=len(media))
    left_ids = tuple(m.media_id for m in left)
    return of_plan(replace(handover.plan, fetches=fetches, left=left_ids, absent=absent))


def planned(
    spec: RunSpec, ledger: Ledger, media: Sequence[MediaEntry], view: LedgerView
) -> tuple[Fetch, ...]:
    """The fetches of the run. The day's sample is written to the ledger, for later runs of the day."""
    if spec.only is not None:
        return exactly(spec.sources, spec.only, spec.window)
    before = ledger.facts(SAMPLE)
    document = sample_of_the_day(media, view.all(), spec.window, before, view.compacted)
    if document != before:
        ledger.put_facts(SAMPLE, document)
    view.load(drawn_keys(spec.window, document))
    sampled = sample(media, view.all(), spec.window, document, view.compacted)
    of_account = share(spec.choice, ledger.facts(SHARE))
    refused = ledger.facts(NOT_IN_PLAN)
    absent = not_asked(spec, refused, len(media))
    for dataset, reason in absent.items():
        # What the plan lacks was said by the run that was refused: once a week is enough.
        (log.info if dataset in refused else log.warning)(f"{dataset} is not asked for: {reason}")
    sources = [s for s in spec.sources if s.name not in absent]
    return plan(sources, media, view.all(), spec.window, sampled, of_account, view.compacted)


def not_asked(spec: RunSpec, facts: Mapping[str, Any], media: int) -> dict[str, str]:
    """The optional datasets that the run leaves out of so many media, and why. By hand, what the account's plan was
    said to lack (the ledger's document) is asked for all the same."""
    of_plan = {} if spec.window.by_hand else facts
    return left_out(spec.sources, of_plan, spec.window.now, media, is_listed=spec.choice.is_listed)


def share(choice: MediaChoice, facts: Mapping[str, Any]) -> float | None:
    """The share of the followed media in the account's sessions: as it was last seen (the ledger's document), else all
    if the account's whole list is followed, else unknown."""
    return share_of(facts) or (1.0 if _is_whole(choice) else None)


def _is_whole(choice: MediaChoice) -> bool:
    """Whether everything that the account lists is chosen."""
    return choice.is_listed and not (choice.folder or choice.tag or choice.most)


async def _media_ids(spec: RunSpec, deps: Dependencies) -> tuple[Sequence[str], tuple[str, ...]]:
    """The media that the run is about, and those of the settings that Wistia does not have. ConfigError if it has none
    of them, or lacks one that was named for this run."""
    choice = spec.choice
    if choice.is_listed:
        async with deps.client() as client:
            return await choose(choice, client), ()
    new = sorted(set(choice.ids) - {m.media_id for m in deps.ledger.media()})
    if not new:
        return choice.ids, ()
    async with deps.client() as client:
        try:
            absent = await _absent(new, client, spec.window.now.astimezone(UTC).date())
        except (SourceMissing, SourceUnavailable):
            if choice.is_named:
                raise
            absent = []  # the run's own fetches say what can't be had
        if absent and (choice.is_named or len(absent) == len(choice.ids)):
            raise await _mistyped(absent, client)
    return tuple(m for m in choice.ids if m not in absent), tuple(absent)


async def _absent(media_ids: Sequence[str], client: Client, day: date) -> list[str]:
    """Those of the media that Wistia doesn't have. One that its list lacks may only be archived."""
    contract = source(METADATA)
    described = {r["hashed_id"] for r in (await client.describe(contract, media_ids)).records}
    undescribed = [m for m in media_ids if m not in described]
    return [m for m in undescribed if (await client.fetch(contract, m, day, day)).missing]


async def _mistyped(absent: Sequence[str], client: Client) -> ConfigError:
    listed = [m["hashed_id"] for m in await client.list_media()]
    match = closest(absent[0], listed)
    return ConfigError(
        f"Wistia has no media {_some(absent)}{f', did you mean {match}?' if match else ''} "
        f"(there are {_some(listed)}); nothing was fetched"
    )


def _some(media_ids: Sequence[str]) -> str:
    more = len(media_ids) - MOST_NAMED
    return f"{', '.join(media_ids[:MOST_NAMED])}{f' and {more:,} more' if more > 0 else ''}"


async def choose(choice: MediaChoice, client: Client) -> tuple[str, ...]:
    """The ids of the media that the account lists for the choice. ConfigError if it lists none."""
    listed = await client.list_media(folder=choice.folder, tag=choice.tag)
    playable = tuple(m["hashed_id"] for m in listed if _may_play(m.get("type")))
    if not playable:
        filters = {"WISTLAKE_MEDIA_FOLDER": choice.folder, "WISTLAKE_MEDIA_TAG": choice.tag}
        used = " and ".join(name for name, value in filters.items() if value)
        raise ConfigError(
            f"the account lists no video or audio{f' that fits {used}: correct what it names' if used else ''}"
        )
    return playable[: choice.most]


def _may_play(kind: object) -> bool:
    """Whether a media of this type is followed; one whose type is not told may be any."""
    return kind in PLAYABLE or not isinstance(kind, str) or not kind


def _follow(spec: RunSpec, ledger: Ledger, media_ids: Sequence[str]) -> list[MediaEntry]:
    window = spec.window
    entries = {m.media_id: m for m in ledger.media()}
    begins = min(filter(None, (first_day(window), window.start)))
    new = [MediaEntry(m, begins, window.now) for m in media_ids if m not in entries]
    back = {m: _followed_again(entries[m]) for m in media_ids if m in entries}
    earlier = {
        m: replace(entry, first_day=window.start)
        for m, entry in back.items()
        if window.start and window.start < entry.first_day
    }
    ledger.put_media([*new, *(e for m, e in (back | earlier).items() if e != entries[m])])
    selected = set(media_ids)
    return [m for m in ledger.media() if m.media_id in selected and m.retired_at is None]


def _label(spec: RunSpec, ledger: Ledger) -> None:
    """What the file says of media that the lake has followed. It may name others: those of another stage, say."""
    followed = {m.media_id for m in ledger.media()}
    changes = {media_id: labels for media_id, labels in spec.labels.items() if media_id in followed}
    if unfollowed := spec.labels.keys() - changes.keys():
        log.warning("labels of media that the lake has never followed", media=sorted(unfollowed)[:MOST_NAMED])
    if changes:
        give(ledger, changes, by="WISTLAKE_LABELS", now=spec.window.now)


def _follows_all(choice: MediaChoice, listed: Sequence[str], media: Sequence[MediaEntry]) -> bool | None:
    """Whether the lake follows everything that the account lists; None where it was not asked, or only for a few."""
    if not choice.is_listed or choice.most:
        return None
    return _is_whole(choice) and len(media) == len(listed)


def _followed_again(entry: MediaEntry) -> MediaEntry:
    """A media that left the list and is in it again; one that was retired by hand stays retired."""
    return replace(entry, retired_at=None, reason="") if entry.reason == LEFT else entry


def _left(spec: RunSpec, ledger: Ledger, media_ids: Sequence[str]) -> list[MediaEntry]:
    """Media that the account's list had, and has no more: deleted, or moved out of the folder or tag."""
    if not spec.choice.is_listed or spec.choice.most or spec.window.by_hand:
        return []
    return [m for m in ledger.media() if m.retired_at is None and m.media_id not in media_ids]


def _final_checks(spec: RunSpec, left: Sequence[MediaEntry]) -> tuple[Fetch, ...]:
    """What tells a media that was deleted from one that is only elsewhere."""
    day = spec.window.now.astimezone(UTC).date()
    listed = any(s.name == METADATA for s in spec.sources)
    return tuple(Fetch(METADATA, m.media_id, day, day) for m in left) if listed else ()
