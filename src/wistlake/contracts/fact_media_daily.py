"""The daily answer: what happened to a media on a day of the account."""

from wistlake.contracts.form import BUILT_AT, MEDIA_DAY, Column, Privacy, Table, Type

TABLE = Table(
    layer="gold",
    name="fact_media_daily",
    doc="A media's day: Wistia's loads and plays beside what its sessions say. Integers add up; shares are in views.",
    grain="one media_id and local date",
    key=("media_id", "date"),
    partition="months(date)",
    scope=("media_id", "date"),
    sources=("events", "media_by_date"),
    columns=(
        *MEDIA_DAY,
        Column("loads", Type.LONG, Privacy.NONE, "by_date load_count; NULL while Wistia has not said.", minimum=0),
        Column("plays", Type.LONG, Privacy.NONE, "by_date play_count; NULL while Wistia has not said.", minimum=0),
        Column("plays_from_events", Type.LONG, Privacy.NONE, "Sessions without a conversion.", nullable=False, minimum=0),
        Column("sessions", Type.LONG, Privacy.NONE, "Sessions listed, those with a conversion too.", nullable=False, minimum=0),
        Column("unique_viewers", Type.LONG, Privacy.NONE, "Distinct visitors of the sessions; do not add up.", nullable=False, minimum=0),
        Column(
            "play_rate_analytics", Type.DOUBLE, Privacy.NONE, "Wistia's unique plays / unique loads that day, where known.",
            unit="share", minimum=0, maximum=1,
        ),
        Column(
            "play_rate_estimated", Type.DOUBLE, Privacy.NONE,
            "Estimate: unique_viewers / loads; NULL without loads. Never mixed with play_rate_analytics.",
            unit="share", minimum=0,
        ),
        Column("watch_milliseconds", Type.LONG, Privacy.NONE, "Time watched in the sessions; NULL if there are some and no duration is known.", unit="ms", minimum=0),
        Column("timed_sessions", Type.LONG, Privacy.NONE, "Sessions whose watch time is known.", nullable=False, minimum=0),
        Column("full_milliseconds", Type.LONG, Privacy.NONE, "Their media's durations, added.", nullable=False, unit="ms", minimum=0),
        Column("viewed_millionths", Type.LONG, Privacy.NONE, "Sum of floor(percent_viewed x 1e6 + 0.5).", nullable=False, minimum=0),
        Column("reached_25", Type.LONG, Privacy.NONE, "Sessions that saw 25 % or more.", nullable=False, minimum=0),
        Column("reached_50", Type.LONG, Privacy.NONE, "Sessions that saw 50 % or more.", nullable=False, minimum=0),
        Column("reached_75", Type.LONG, Privacy.NONE, "Sessions that saw 75 % or more.", nullable=False, minimum=0),
        Column("reached_95", Type.LONG, Privacy.NONE, "Sessions that saw 95 % or more.", nullable=False, minimum=0),
        Column("conversions", Type.LONG, Privacy.NONE, "Sessions with a conversion.", nullable=False, minimum=0),
        Column("hours_watched_modelled", Type.DOUBLE, Privacy.NONE, "Wistia's model; no trend.", unit="hours", minimum=0),
        Column(
            "certificate", Type.STRING, Privacy.NONE, "How far the day can be trusted.", nullable=False,
            allowed=("provisional", "settled", "certified"),
        ),
        BUILT_AT,
    ),
)  # fmt: skip
