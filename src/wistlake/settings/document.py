"""The table of settings, and `.env.example`: derived from the declaration."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wistlake.contracts import SOURCES
from wistlake.settings.declare import TOML, Declaration
from wistlake.settings.values import NEWEST_API


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One row of the table of settings. `default` is as one would write it; "" if there is none."""

    variable: str
    field: str
    default: str
    meaning: str
    accepts: str
    secret: bool


def _as_written(default: Any) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, Path):
        return f"./{default}"
    return "" if default in (None, ()) else f"{default:g}" if isinstance(default, float) else str(default)


def _docs() -> Iterator[SettingDoc]:
    derived = {
        "api_version": NEWEST_API,
        "bronze_redaction": "off",
        "config": TOML,
        "keep_city": "off",
        "datasets": ",".join(s.name for s in SOURCES if not s.optional),
    }
    for name, info in Declaration.model_fields.items():
        extra = info.json_schema_extra
        yield SettingDoc(
            variable=str(info.validation_alias),
            field=name,
            default=derived.get(name, _as_written(info.default)),
            meaning=str(info.description),
            accepts=str(extra["accepts"]) if isinstance(extra, dict) else "",
            secret="SecretStr" in str(info.annotation),
        )


DOCS: tuple[SettingDoc, ...] = tuple(_docs())
BY_VARIABLE = {doc.variable: doc for doc in DOCS}
BY_FIELD = {doc.field: doc for doc in DOCS}
_REQUIRED = ("WISTIA_API_TOKEN", "MEDIA_IDS")


def env_example() -> str:
    """The text of `.env.example`: every setting with its meaning; only what must be filled in is live."""
    head = "# Copy to .env, fill in, and `chmod 600 .env`. What is commented out shows the default.\n"
    return head + "".join(
        f"\n# {doc.meaning}\n# Accepts {doc.accepts}.\n"
        f"{'' if doc.variable in _REQUIRED else '# '}{doc.variable}={doc.default}\n"
        for doc in DOCS
    )
