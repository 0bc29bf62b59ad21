"""The page of channel rules: their form, an example, and the built-in ones, as TOML that is read as it stands."""

from wistlake.channel_rules import DEFAULT_RULES, EVENT_FIELDS, FIELDS, Rule

_MEANING = {
    "utm_source": "`utm_source` of the page that held the player",
    "utm_medium": "`utm_medium` of that page",
    "utm_campaign": "`utm_campaign` of that page",
    "embed_host": "host of that page, such as `www.example.com`",
    "media_id": "the media's hashed id",
    "tags": "the media's tags, one a line",
    "folder": "name of the media's folder",
    "subfolder": "name of its subfolder, or section",
    "title": "the media's title",
}
_EXAMPLE = (
    Rule("facebook", "utm_source", "^(fb|meta-ads)"),
    Rule("intranet", "embed_host", r"(^|\.)intranet\.example\.com$"),
    Rule("facebook", "media_id", "^(abc123def4|ghi567jkl8)$"),
    Rule("youtube", "tags", "^youtube$"),
    Rule("youtube", "folder", "^YouTube ads$"),
    Rule("webinar", "title", "webinar"),
)
_HEAD = """# Channels

Generated from the built-in rules. Wistia has no field that says where a viewer came from: ordered rules do. The first
rule that fits names a session's channel; rules about the session (UTM, host) go before those about its media.
`unclassified` if none fits.

`WISTLAKE_CHANNELS` names a TOML file with rules of your own. They replace the built-in ones: copy from below what you
want to keep. On AWS it names a file of the repository, which a deployment brings, or an object of the bronze bucket
by its whole address, below `settings/`, which each run reads. The next run after a change names the channels anew, of
all days whose raw pages are still there.

```toml
"""
_PATTERNS = """```

A pattern is a regular expression, found anywhere in the field unless `^` and `$` hold it, whatever the case. It has no
look-around and no back-references, since the engines have none.

## By hand

`wistlake media label ID channel=facebook` says what a media is for: that comes before the rules about media, and after
those about the session. It holds for all days, raw pages or not, from the next run on; on AWS too. Any other label
(`campaign=spring-sale`, `audience=new`) is a row of `gold.dim_media_label`, and `gold.label_daily_metrics` has every
metric by label.

`wistlake media label --suggest` reads titles and folders, and says what they suggest. For many media at once:
`wistlake media label --to-csv labels.csv` writes all of them with their labels and the suggestions; edit the file, and
`wistlake media label --from-csv labels.csv` takes it. An empty cell says nothing; `LABEL=` or `--clear` take labels
away; `wistlake media label list --history` tells who said what, and when.

`WISTLAKE_LABELS` names such a file: each run gives media what it says, on AWS from the repository. What the file says
of a media is so after every run; other labels stay.

A label's name has letters from a to z, digits, `-` and `_`, and begins with a letter; names of columns of
`silver.dim_media` are taken. Its value is any text of one line, at most 100 characters, emoji and every script
included, but no e-mail address: labels must not name a person.

## Fields

| field | holds | of the |
| --- | --- | --- |
"""


def page() -> str:
    """The page as Markdown."""
    rows = "".join(
        f"| `{field}` | {_MEANING[field]} | {'session' if field in EVENT_FIELDS else 'media'} |\n"
        for field in FIELDS
    )
    built_in = f"\n## Built-in rules\n\n```toml\n{_toml(DEFAULT_RULES)}```\n"
    return f"{_HEAD}{_toml(_EXAMPLE)}{_PATTERNS}{rows}{built_in}"


def _toml(rules: tuple[Rule, ...]) -> str:
    return "\n".join(
        f"[[rule]]\nchannel = '{r.channel}'\nfield = '{r.field}'\npattern = '{r.pattern}'\n" for r in rules
    )
