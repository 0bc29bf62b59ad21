"""A media's day by one dimension, as Wistia's analytics break it down: referrers, campaigns, screens, languages, pages.

One request answers for one media, day and dimension; of pages, for many days. A day's pages could be asked for one by one
as well (`/embed_locations`), which tells nothing more of them and lacks what is beyond the 100th.
"""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type


def _source(
    name: str, title: str, path: str, dimensions: tuple[str, ...], *fields: Field, **more: object
) -> Source:
    """A breakdown: its fields and the counts that all of them have."""
    of_one = {"key": dimensions[:1] if len(dimensions) == 1 else ("group_by",), "most_days": 1}
    return Source(
        name=name,
        doc=f"One media's plays on one local day by {title}, most plays first.",
        endpoint=f"/analytics/medias/{{media_id}}/{path}",
        calendar=Calendar.LOCAL,
        optional=True,
        dimensions=dimensions,
        only_played=True,
        rest_days=1,
        fields=(*fields, Field("plays", Type.LONG, Privacy.NONE, "Plays after Wistia's bot filter.", required=True)),
        **{**of_one, **more},  # type: ignore[arg-type]
    )  # fmt: skip


_LOADS = Field("loads", Type.LONG, Privacy.NONE, "Players loaded.", required=True)
_ENGAGEMENT = Field("engagement_rate", Type.DOUBLE, Privacy.NONE, "Average share seen, 0..1.")

TRAFFIC = _source(
    "traffic_daily", "where they came from", "traffic",
    ("utm_source", "utm_medium", "utm_campaign", "referrer_domain", "viewer_screen_size"),
    Field("group_by", Type.STRING, Privacy.NONE, "The dimension that was asked for; the client writes it into each record.", required=True),
    Field("utm_source", Type.STRING, Privacy.MASKED, "Source of the campaign.", mask="text"),
    Field("utm_medium", Type.STRING, Privacy.MASKED, "Medium of the campaign.", mask="text"),
    Field("utm_campaign", Type.STRING, Privacy.MASKED, "Name of the campaign.", mask="text"),
    Field("referrer_domain", Type.STRING, Privacy.MASKED, "Host of the page before.", mask="host"),
    Field("viewer_screen_size", Type.STRING, Privacy.MASKED, "Width and height.", mask="text"),
    _LOADS,
    _ENGAGEMENT,
)  # fmt: skip
LANGUAGES = _source(
    "languages_daily", "the language of the browser", "languages", ("language",),
    Field("language", Type.STRING, Privacy.MASKED, "Code of the language.", mask="text"),
    Field("captions_support", Type.BOOLEAN, Privacy.NONE, "Whether there are captions in it."),
    tolerated=("percent_of_total_plays",),
)  # fmt: skip
EMBED_LOCATIONS = _source(
    "embed_locations_daily", "the page that embeds the media", "embed_locations_timeseries", ("embed_domain",),
    Field("timestamp", Type.TIMESTAMP, Privacy.NONE, "Start of the local day, UTC.", required=True),
    Field("embed_domain", Type.STRING, Privacy.MASKED, "Host of the page; null of all beyond the 100th.", mask="host"),
    Field("embed_path", Type.STRING, Privacy.MASKED, "Path of the page.", mask="path"),
    _LOADS,
    _ENGAGEMENT,
    key=("timestamp",),
    rows_in="entries",
    most_days=366,
    kept_days=178,  # half a year, less what a day in another zone may begin earlier
    tolerated=(
        "embed_url", "page_title", "unique_loads", "unique_plays", "play_rate", "played_time", "unique_visitors",
        "cta_conversion_rate",
    ),
)  # fmt: skip

SOURCES = (TRAFFIC, LANGUAGES, EMBED_LOCATIONS)
PAGE = "embed_page"  # the dimension of EMBED_LOCATIONS, made of host and path
DIMENSIONS = {
    TRAFFIC.name: TRAFFIC.dimensions,
    LANGUAGES.name: LANGUAGES.dimensions,
    EMBED_LOCATIONS.name: (PAGE,),
}
