"""JSON bodies: keys and their order exactly as Wistia sends them, for each base and release."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from wistia_simulator.analytics import Group, Lead, others
from wistia_simulator.catalog import Catalog, FolderState, MediaState
from wistia_simulator.clock import iso_millis, iso_offset, moment, to_date
from wistia_simulator.figures import DayFigures, Engagement, Lifetime, RealDay, Totals
from wistia_simulator.people import Browser, Encounter, Person
from wistia_simulator.profile import Stamp
from wistia_simulator.sessions import Flaw
from wistia_simulator.versions import Api
from wistia_simulator.visitors import Visit, created_at, is_identified
from wistia_simulator.vocabulary import LANGUAGES

Payload = dict[str, object]

_ASSETS = (
    (1920, 1080, "OriginalFile", 88_985_020, "video/mp4"),
    (640, 360, "IphoneVideoFile", 17_907_859, "video/mp4"),
    (400, 224, "Mp4VideoFile", 12_362_739, "video/mp4"),
    (960, 540, "MdMp4VideoFile", 25_777_322, "video/mp4"),
    (1280, 720, "HdMp4VideoFile", 35_617_979, "video/mp4"),
    (1920, 1080, "HdMp4VideoFile", 59_865_966, "video/mp4"),
    (2000, 2260, "StoryboardFile", 2_197_516, "image/jpg"),
    (1920, 1080, "StillImageFile", 2_201_349, "image/png"),
)
_STILL = _ASSETS[-1]
FLAWS: dict[Flaw, Payload] = {
    "": {},
    "above_one": {"percent_viewed": 1.0000000000000002},
    "no_percent": {"percent_viewed": None},
    "no_visitor": {"visitor_key": ""},
}
"""The wrong values of each flaw."""
_EMBED = "http://embed.wistia.com/deliveries"
_ACCOUNT = "https://example.wistia.com"


def camel_case(body: Payload) -> Payload:
    """The body with names as v1 spells them: ``fileSize``."""
    return {re.sub("_([a-z])", lambda m: m[1].upper(), name): value for name, value in body.items()}


def snake_case(body: Payload) -> Payload:
    """The body with names as the modern base spells them: ``file_size``."""
    return {re.sub("([A-Z])", lambda m: f"_{m[1].lower()}", name): value for name, value in body.items()}


def _browser(browser: Browser) -> Payload:
    return {
        "browser": browser.name,
        "browser_version": browser.version,
        "platform": browser.platform,
        "mobile": browser.mobile,
    }


def event(
    key: str, received: int, percent: float, seen: Encounter, media: MediaState, catalog: Catalog, api: Api
) -> Payload:
    """One row of /stats/events."""
    width, height, kind, size, content = _STILL
    body: Payload = {
        "received_at": iso_millis(received),
        "event_key": key,
        **seen.whereabouts(),
        "email": seen.email,
        "percent_viewed": percent,
        "embed_url": seen.embed_url,
        "conversion_type": seen.conversion_type,
        "conversion_data": seen.conversion_data,
        "iframe_heatmap_url": (
            f"https://api.wistia.com/{api.base}/stats/events/{key}/iframe.html?public_token={seen.token}"
        ),
        "visitor_key": seen.person.key,
        "user_agent_details": _browser(seen.person.browser),
        "media_id": media.media_id,
        "media_name": media.name,
        "media_url": f"{_ACCOUNT}/medias/{media.media_id}",
        # Asset keys stay in camel case here whatever the base and the release.
        "thumbnail": {
            "url": f"{_EMBED}/{catalog.deliveries('still', media.index)}.bin",
            "width": width,
            "height": height,
            "fileSize": size,
            "contentType": content,
            "type": kind,
        },
    }
    if api.at_least("2026-05"):
        body["attributes"] = {"page_url": seen.embed_url, "email": seen.email, "player": "universal"}
    return body


def visitor(visit: Visit, person: Person) -> Payload:
    """One row of /stats/visitors."""
    identified = is_identified(visit, person)
    return {
        "visitor_key": person.key,
        "created_at": iso_millis(created_at(visit, person)),
        "last_active_at": iso_millis(visit.last_active),
        "last_event_key": visit.last_event_key,
        "load_count": visit.loads,
        "play_count": visit.plays,
        "identifying_event_key": visit.identifying_event_key,
        "visitor_identity": {
            "name": f"{person.first_name} {person.last_name}" if identified else "",
            "email": person.email if identified else None,
            "org": {
                "name": person.organisation if identified else None,
                "title": person.title if identified else None,
            },
        },
        "user_agent_details": _browser(person.browser),
    }


def day_figures(row: DayFigures) -> Payload:
    """One row of by_date."""
    return {"date": to_date(row.day).isoformat(), **totals(row)}


def lifetime(figures: Lifetime, actions: Sequence[Payload] = ()) -> Payload:
    """The body of /stats/medias/{id}; ``actions`` is absent without calls to action."""
    body: Payload = {
        "load_count": figures.loads,
        "play_count": figures.plays,
        "play_rate": figures.play_rate,
        "hours_watched": figures.hours if figures.plays else 0,
        "engagement": figures.engagement,
        "visitors": figures.visitors,
    }
    if actions:
        body["actions"] = list(actions)
    return body


def actions(figures: Lifetime) -> list[Payload]:
    """The calls to action of a media, as v1 has them; none without plays."""
    clicks, shown = figures.plays // 40, figures.plays // 3
    if not figures.plays:
        return []
    rate = clicks / max(1, shown)
    return [{"type": "call_to_action", "action_count": clicks, "impression_count": shown, "rate": rate}]


def totals(figures: Totals | DayFigures) -> Payload:
    """The body of /stats/account, and what by_date and /stats/projects/{id} share with it.

    Hours are the integer 0 without plays, else a float.
    """
    return {
        "load_count": figures.loads,
        "play_count": figures.plays,
        "hours_watched": figures.hours if figures.plays else 0,
    }


def engagement(figures: Engagement) -> Payload:
    """The body of /stats/medias/{id}/engagement."""
    return {
        "engagement": figures.engagement,
        "engagement_data": figures.views,
        "rewatch_data": figures.rewatched,
    }


def aggregate(media: MediaState, figures: Lifetime) -> Payload:
    """The body of /medias/{id}/stats: whole numbers, camel case in all releases."""
    return {
        "id": media.numeric_id,
        "hashed_id": media.media_id,
        "name": media.name,
        "stats": {
            "pageLoads": figures.loads,
            "visitors": figures.visitors,
            "percentOfVisitorsClickingPlay": round(100 * figures.play_rate),
            "plays": figures.plays,
            "averagePercentWatched": round(100 * figures.engagement),
        },
    }


def analytics_bucket(start: int, days: Sequence[RealDay], stamp: Stamp = "observed") -> Payload:
    """One bucket of the analytics timeseries; a bucket without plays has its timestamp only."""
    body: Payload = {"timestamp": _bucket_start(start, stamp)}
    plays = sum(day.plays for day in days)
    if not plays:
        return body
    unique_plays, unique_loads = sum(d.unique_plays for d in days), sum(d.unique_loads for d in days)
    offers, clicks = sum(d.offers for d in days), sum(d.clicks for d in days)
    return body | {
        "unique_loads": unique_loads,
        "unique_plays": unique_plays,
        "plays": plays,
        "play_rate": round(unique_plays / unique_loads, 4),
        "played_time": sum(day.seconds for day in days),
        "unique_visitors": unique_loads,
        "engagement_rate": round(sum(day.engagement * day.plays for day in days) / plays, 4),
        "cta_impressions": offers,
        "cta_conversions": clicks,
        "cta_conversion_rate": round(clicks / offers, 4) if offers else 0.0,
        "form_conversions": sum(d.forms for d in days),
    }


def traffic(group: Group, dimension: str) -> Payload:
    """One row of /analytics/medias/{id}/traffic."""
    return {
        dimension: group.value,
        "loads": group.loads,
        "plays": group.plays,
        "engagement_rate": group.engagement,
    }


def language(group: Group, plays: int) -> Payload:
    """One row of /analytics/medias/{id}/languages; ``plays`` are those of all languages."""
    name = group.value or ""
    return {
        "language": name,
        "plays": group.plays,
        "percent_of_total_plays": round(group.plays / plays, 4),
        "captions_support": LANGUAGES.get(name, False),
    }


def embed_location(group: Group) -> Payload:
    """One row of /analytics/medias/{id}/embed_locations; a group without a value is of all other pages."""
    page = urlsplit(group.value or "")
    unique = max(1, int(group.plays * 0.93))
    return {
        "embed_domain": page.hostname,
        "embed_path": page.path if group.value else None,
        "embed_url": group.value,
        "page_title": f"Page at {page.path}" if group.value else "All other",
        "loads": group.loads,
        "unique_loads": max(unique, int(group.loads * 0.9)),
        "plays": group.plays,
        "unique_plays": unique,
        "play_rate": round(unique / max(unique, int(group.loads * 0.9)), 4),
        "played_time": float(group.seconds),
        "engagement_rate": group.engagement,
        "unique_visitors": max(unique, int(group.loads * 0.9)),
        "cta_conversion_rate": 0.0,
    }


def embed_bucket(start: int, pages: Sequence[Group], most: int, stamp: Stamp) -> Payload:
    """One bucket of /analytics/medias/{id}/embed_locations_timeseries: its pages with most plays, and all others."""
    rest = [others(pages[most:])] if pages[most:] else []
    return {
        "timestamp": _bucket_start(start, stamp),
        "entries": [embed_location(group) for group in (*pages[:most], *rest)],
    }


def _bucket_start(start: int, stamp: Stamp) -> str:
    between = " " if stamp == "observed" else "T"
    return moment(start).strftime(f"%Y-%m-%d{between}%H:%M:%S.000Z")


def lead(sent: Lead) -> Payload:
    """One row of /analytics/medias/{id}/conversions."""
    return {
        "first_name": sent.person.first_name,
        "last_name": sent.person.last_name,
        "email": sent.person.email,
        "converted_at": iso_millis(sent.at),
    }


def media(
    state: MediaState, catalog: Catalog, api: Api, swept: int, *, tags_as_text: bool = False
) -> Payload:
    """One media; ``swept`` is when the system last rewrote all medias (epoch seconds, 0 for never)."""
    modern = api.base == "modern"
    still = catalog.deliveries("still", state.index)
    body: Payload = {
        "id": state.numeric_id,
        "hashed_id": state.media_id,
        "progress": 1.0,
        "type": "Video",
        "archived": state.archived,
        "name": state.name,
        "duration": state.duration,
        "created": iso_offset(state.created),
        "updated": iso_offset(state.updated),
        "description": state.description,
        "protected": None,
        "status": state.status,
        "thumbnail": {
            "url": f"https://embed-ssl.wistia.com/deliveries/{still}.jpg?image_crop_resized=200x120",
            "width": 200,
            "height": 120,
        },
        "section": state.section,
        "subfolder": _subfolder(state, catalog, swept),
        "tags": list(state.tags) if tags_as_text else [{"name": tag} for tag in state.tags],
        "assets": [_asset(place, state, catalog, modern) for place in range(len(_ASSETS))],
        "folder" if modern else "project": _folder(state, catalog, modern),
    }
    if not modern:
        del body["protected"]
    if state.section is None:
        del body["section"]
    return body


def _subfolder(state: MediaState, catalog: Catalog, swept: int) -> Payload:
    # Sweeps renumber the subfolders and update their dates although nobody changed anything.
    created = catalog.opened
    return {
        "hashed_id": catalog.folder_id("subfolder", state.subfolder),
        "position": 1 + swept // 86_400 % 7,
        "description": "",
        "name": state.subfolder,
        "created": iso_offset(created),
        "updated": iso_offset(max(created, swept)),
    }


def _asset(place: int, state: MediaState, catalog: Catalog, modern: bool) -> Payload:
    width, height, kind, size, content = _ASSETS[place]
    name = "still" if kind == "StillImageFile" else f"asset {place}"
    body: Payload = {
        "width": width,
        "height": height,
        "type": kind,
        "file_size": size,
        "content_type": content,
        "url": f"{_EMBED}/{catalog.deliveries(name, state.index)}.bin",
    }
    return body if modern else camel_case(body)


def _folder(state: MediaState, catalog: Catalog, modern: bool) -> Payload:
    hashed, number = catalog.folder_id("folder", state.folder), catalog.folder_number(state.folder)
    if modern:
        return {"id": number, "name": state.folder, "hashed_id": hashed}
    return {"id": number, "hashed_id": hashed, "name": state.folder}


def folder(state: FolderState, catalog: Catalog) -> Payload:
    """One row of /modern/folders, which is the body of /modern/folders/{id} too."""
    created = iso_offset(catalog.opened)
    return {
        "id": state.numeric_id,
        "name": state.name,
        "description": None,
        "media_count": len(state.medias),
        "medias": {"url": f"https://api.wistia.com/modern/medias?folder_id={state.hashed_id}"},
        "created": created,
        "updated": created,
        "hashed_id": state.hashed_id,
        "public": False,
        "public_id": None,
        "anonymous_can_upload": False,
        "anonymous_can_download": False,
        "kind": "account",
        "personal_library": False,
    }


_MODERN_ONLY = ("medias", "kind", "personal_library")


def project(body: Payload) -> Payload:
    """A folder as one row of /v1/projects; described in camel case, never observed."""
    return camel_case({name: value for name, value in body.items() if name not in _MODERN_ONLY})


_NOT_IN_PROJECTS = ("subfolder", "tags", "assets", "project")


def project_media(body: Payload) -> Payload:
    """A media as /v1/projects/{id} lists it: without its folder, tags and files."""
    return {name: value for name, value in body.items() if name not in _NOT_IN_PROJECTS}
