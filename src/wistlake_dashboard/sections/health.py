"""What was fetched, certified, reconciled, refused and run, and how Wistia's counts moved."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from wistlake.contracts import reconciliation
from wistlake.quality.account import DEFINITION, TiedDay, sentences, share
from wistlake_dashboard import health, words
from wistlake_dashboard.alerts import alerts
from wistlake_dashboard.blocks import Block, Column, Grid, Kind, Stack, Table, Text, measure
from wistlake_dashboard.reader import Row
from wistlake_dashboard.sections.section import DAY, MEDIA, Section, View, listing

# How far a day can be trusted, in words, and its tone.
CERTIFICATES = {
    "certified": "verified against Wistia",
    "settled": "stable",
    "provisional": "may still change",
}
TONES = {"verified against Wistia": "good", "stable": "mid", "may still change": "warn"}
STATES = {health.DONE: "good", health.MISSING: "soft", health.WAITING: "warn", health.FAILED: "bad"}
DATE, DATASET = Column("date", "Day", Kind.DAY), Column("dataset", "Dataset")


def _fetched(_view: View, calendar: Sequence[Row]) -> list[Block]:
    if not calendar:
        return []
    counts = Counter(r["state"] for r in calendar)
    columns = (
        DATASET, DAY, Column("state", "Worst state"),
        Column("intervals", "Media", Kind.COUNT, "Media whose day was asked for."),
        Column("failed", "Failed", Kind.COUNT, "Media whose day could not be fetched or built."),
        Column("waiting", "Waiting", Kind.COUNT, "Media whose day is fetched, and not published yet."),
        Column("missing", "Not there", Kind.COUNT, "Media whose day Wistia answered with 404."),
    )  # fmt: skip
    return [
        Grid(
            "Intervals by dataset and day", {(r["dataset"], r["day"]): r["state"] for r in calendar}, STATES
        ),
        Text(
            ", ".join(f"{words.count(n)} {state}" for state, n in counts.most_common()) + " (datasets' days)."
        ),
        Table("calendar", "Days fetched", columns, calendar, folded=True),
    ]


def _certificates(view: View, counted: Sequence[Row]) -> list[Block]:
    parts: dict[str, dict[date, int]] = {state: {} for state in CERTIFICATES.values()}
    rows = [r | {"certificate": CERTIFICATES[r["certificate"]]} for r in counted]
    for row in rows:
        parts[row["certificate"]][row["date"]] = row["media_days"]
    columns = (
        DATE, Column("certificate", "State"),
        Column("media_days", "Media", Kind.COUNT, "Media whose day is in this state."),
    )  # fmt: skip
    return [
        Stack("State of the days", "Media", view.scope.days, parts, TONES),
        Table("certificates", "State of the days", columns, rows, folded=True),
    ] if counted else []  # fmt: skip


def _account(_view: View, days: Sequence[TiedDay]) -> list[Block]:
    if not days:
        return []
    columns = [DATE]
    for name in ("plays", "loads"):
        columns += [
            measure(name, f"{name.capitalize()} of the media"),
            Column(
                f"account_{name}",
                "Of the account",
                Kind.COUNT,
                f"{name.capitalize()} as Wistia counts them there.",
            ),
            Column(f"{name}_share", "Share", Kind.SHARE, DEFINITION),
        ]
    columns.append(Column("standing", "Verdict", meaning="Whether the two contradict each other."))
    rows = [
        {c.key: getattr(d, c.key) for c in columns if not c.key.endswith("_share")}
        | {
            "plays_share": share([d.plays], [d.account_plays]),
            "loads_share": share([d.loads], [d.account_loads]),
        }
        for d in reversed(days)
    ]
    table = Table("account", "The account by day", columns, rows, folded=True)
    return [*map(Text, sentences(days)), table]


SECTIONS = (
    Section(
        "Days fetched", (health.calendar,), _fetched, empty="Nothing was fetched in these days.", by_channel=False
    ),
    listing(
        "Failed intervals", health.failures, "failures", (DATASET, MEDIA, DAY, Column("reason", "Why")),
        empty="No interval failed in these days.",
    ),
    Section(
        "State of the days", (health.certificates,), _certificates, empty="No day is published.", by_channel=False
    ),
    listing(
        "Reconciliation", health.verdicts, "reconciliation",
        (
            Column("identity", "Identity"), Column("blocking", "Blocking"),
            Column("holds", "Holds", Kind.COUNT, "Media days for which the identity holds."),
            Column("broken", "Broken", Kind.COUNT, "Media days for which it does not."),
            Column("not_applicable", "Not applicable", Kind.COUNT, "Media days of which it says nothing."),
        ),
        empty="Nothing was judged in these days.",
    ),
    listing(
        "Not in your plan", health.not_in_plan, "not-in-plan",
        (
            DATASET, Column("said_at", "Wistia said so", Kind.MOMENT),
            Column("asked_again_at", "Asked again after", Kind.MOMENT),
        ),
        empty="",
        caption="Optional datasets that Wistia refuses to this account (403). Nothing else depends on them.",
    ),
    Section(
        "Share of the account", (health.account,), _account, "Of all followed media, whichever are chosen.",
        "The account's own totals are not available.", by_channel=False,
    ),
    listing(
        "Broken identities", health.broken, "broken",
        (
            DATE, MEDIA, Column("identity", "Identity"),
            *(
                Column(n, n.capitalize(), Kind.NUMBER, reconciliation.TABLE.column(n).doc)
                for n in ("ours", "theirs", "lower", "upper")
            ),
        ),
        empty="No identity is broken in these days.",
    ),
    listing(
        "Quarantine", health.quarantine, "quarantine",
        (
            DATASET, Column("reason", "Why"),
            Column("records", "Records", Kind.COUNT, "Records that were refused."),
            Column("first_day", "First day", Kind.DAY), Column("last_day", "Last day", Kind.DAY),
        ),
        empty="No record was refused in these days.",
    ),
    listing(
        "How Wistia changed your numbers", health.revisions, "revisions",
        (
            DATE, MEDIA, measure("plays", "Plays at first", "first_plays"), measure("plays", "Plays now"),
            measure("loads", "Loads at first", "first_loads"), measure("loads", "Loads now"),
            Column("readings", "Different counts", Kind.COUNT, "Different counts in a row, the first one included."),
            Column("moved_at", "Counts last moved", Kind.MOMENT, absent="never"),
            Column("restated", "Hours restated", Kind.COUNT, "Times that only the modelled hours moved."),
        ),
        empty="Wistia's daily counts of these days were not read yet.",
        caption="How Wistia's counts of each day moved after they were first read.",
    ),
    listing(
        "Goals and alerts", alerts, "alerts",
        (
            DAY, Column("rule", "Rule"), Column("media", "About"), Column("what", "What happened"),
            Column("state", "State"), Column("told_at", "Told (UTC)", Kind.MOMENT),
        ),
        empty="No goal was reached, and nothing called for an alert, in these days.",
        caption="What the settings ask to be told, as it was told.",
    ),
    listing(
        "Runs", health.runs, "runs",
        (
            Column("started_at", "Began (UTC)", Kind.MOMENT), Column("status", "Status"), Column("trigger", "Trigger"),
            Column("origin", "Origin"), Column("seconds", "Seconds", Kind.NUMBER, "From the run's start to its end."),
            Column("run_id", "Run"), Column("error", "Error"),
        ),
        empty="No run yet.",
        caption=f"The newest {health.RUNS}, whatever days and media they were about.",
        printed=10,
    ),
)  # fmt: skip
