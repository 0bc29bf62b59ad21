"""The rules that name a session's channel: their fields, the built-in ones, and those of a file.

The engines evaluate a rule's pattern, and their dialects differ: only what all of them read alike is accepted here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wistlake import toml_file
from wistlake.errors import ConfigError

EVENT_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "embed_host")
_DESCRIPTION = ("tags", "folder", "subfolder", "title")
MEDIA_FIELDS = ("media_id", *_DESCRIPTION)
FIELDS = (*EVENT_FIELDS, *MEDIA_FIELDS)


@dataclass(frozen=True, slots=True)
class Rule:
    """`channel` if the text of `field` matches the regular expression `pattern`, whatever the case of either."""

    channel: str
    field: str
    pattern: str


_PLATFORMS = (
    ("youtube", "youtube|yt", r"youtube\.com|youtu\.be"),
    ("facebook", "facebook|fb|meta", r"facebook\.com|fb\.com"),
    ("instagram", "instagram|ig", r"instagram\.com"),
    ("linkedin", "linkedin", r"linkedin\.com|lnkd\.in"),
    ("tiktok", "tiktok", r"tiktok\.com"),
)

DEFAULT_RULES: tuple[Rule, ...] = (
    Rule("email", "utm_medium", r"^(e-?mail|newsletter)$"),
    *(Rule(name, "utm_source", rf"^({words})([^a-z0-9]|$)") for name, words, _ in _PLATFORMS),
    Rule("google", "utm_source", r"^(google|adwords|googleads)"),
    Rule("paid", "utm_medium", r"^(cpc|ppc|paid.*|display)$"),
    *(Rule(name, "embed_host", rf"(^|\.)({hosts})$") for name, _, hosts in _PLATFORMS),
    *(
        Rule(name, field, rf"(^|[^a-z0-9])({words})([^a-z0-9]|$)")
        for field in _DESCRIPTION
        for name, words, _ in _PLATFORMS
    ),
)


def read(path: Path) -> tuple[Rule, ...]:
    """The rules of a file; see `parsed`."""
    try:
        content = path.read_bytes()
    except OSError as e:
        raise ConfigError(f"{path} has no list of [[rule]] with channel, field and pattern: {e}") from e
    return parsed(content, str(path))


def parsed(content: bytes, place: str) -> tuple[Rule, ...]:
    """The rules of a TOML document: `[[rule]]` tables of channel, field and pattern. ConfigError names every fault."""
    try:
        tables = toml_file.document(content)["rule"]
        rules = tuple(Rule(str(t["channel"]), str(t["field"]), str(t["pattern"])) for t in tables)
    except (ValueError, KeyError, TypeError) as e:
        raise ConfigError(f"{place} has no list of [[rule]] with channel, field and pattern: {e}") from e
    problems = [f"{place}: {problem}" for rule in rules for problem in _problems(rule)]
    if problems:
        raise ConfigError(problems)
    return rules


def _problems(rule: Rule) -> Iterator[str]:
    if rule.field not in FIELDS:
        yield f"no such field {rule.field}: one of {', '.join(FIELDS)}"
    if not rule.channel or "'" in rule.channel + rule.pattern or "\\" in rule.channel:
        yield f"rule {rule.channel!r} is without a name, or holds a quote or backslash that a channel can't have"
    if reason := _no_pattern(rule.pattern):
        yield f"the pattern {rule.pattern!r} of channel {rule.channel!r} isn't a regular expression: {reason}"


def _no_pattern(pattern: str) -> str:
    """Why an engine would refuse the pattern; empty if none would."""
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # not there in a Glue job

    try:
        # The expressions of Rust, as the laptop's engine has them: a subset of Java's, but for one form.
        SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as e:
        return str(e).rsplit("error: ", 1)[-1].strip()
    return "name a group (?<name>...), not (?P<name>...)" if "(?P<" in pattern else ""
