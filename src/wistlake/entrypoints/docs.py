"""Writes the generated pages, and `.env.example` here: `python -m wistlake.entrypoints.docs FOLDER`."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typer.main import get_command

from wistlake.contracts import SOURCES, TABLES
from wistlake.derive import channels_page, data_model_page, dataset_docs, ddl, privacy_page
from wistlake.entrypoints.cli.main import app
from wistlake.quality import metrics, views
from wistlake.quality.queries import QUERIES
from wistlake.settings import DOCS, SettingDoc, env_example

_BUCKET = "s3://SILVER_BUCKET"
_COPIED = next(v for v in views.VIEWS if v.name == "wistia_gold_fact_media_daily")
_COMMANDS = """# Commands

Generated from the commands' own help. `wistlake --help` lists them, `wistlake COMMAND --help` tells the same.
Before the command, `--verbose` also says each step. Warnings go to standard error as plain lines; with
`WISTLAKE_LOG=json` in the environment each step is one JSON object there.
The exit codes are in the [runbook](runbook.md#first-look).
"""
_SETTINGS = """# Settings

Generated from the declarations. A setting is an environment variable, or a line of the same name in `.env` or
`wistlake.toml` in the folder where a command is called; the first of the three that has it counts. Blanks and
one pair of quotation marks around a value are no part of it. All problems are reported at once, each with its cure.

The files are not read where everybody may write. One that belongs to another user, or that sets an address or a command
while the token comes from the environment, is used with a warning until `WISTLAKE_CONFIG` names it.

| setting | means | accepts | default |
| --- | --- | --- | --- |
"""


def pages() -> Mapping[str, str]:
    """Generated pages by file name."""
    return {
        "datasets.md": dataset_docs.page(),
        "data-model.md": data_model_page.page(),
        "metrics.md": metrics.page() + views.section(),
        "privacy.md": privacy_page.page(SOURCES, TABLES),
        "commands.md": commands_page(),
        "settings.md": _SETTINGS + "".join(_setting(doc) for doc in DOCS),
        "channels.md": channels_page.page(),
        "ddl/tables.sql": ddl.tables(TABLES, _BUCKET),
        "ddl/views.sql": ddl.views((v.name, v.holds, v.select, v.columns) for v in views.VIEWS),
        "ddl/queries.sql": ddl.queries(QUERIES),
        "ddl/copy.sql": ddl.copy(_COPIED.name, _COPIED.columns, "dt", _BUCKET),
    }


def _setting(doc: SettingDoc) -> str:
    default = f"`{doc.default}`" if doc.default else "-"
    return f"| `{doc.variable}` | {doc.meaning} | {doc.accepts} | {default} |\n"


def commands_page() -> str:
    """Every command with its options, as Markdown."""
    return _COMMANDS + "".join(_commands(get_command(app), "wistlake"))


def _commands(group: Any, above: str) -> Iterator[str]:
    for name, command in group.commands.items():
        called = f"{above} {name}"
        if hasattr(command, "commands"):
            yield from _commands(command, called)
        else:
            yield _command(called, command)


def _command(called: str, command: Any) -> str:
    help_, _, example = str(command.help or "").partition("Example:")
    shown = [p for p in command.params if p.name != "help" and not p.hidden]
    rows = "".join(f"| `{_written(p)}` | {_meaning(p)} |\n" for p in shown)
    text = f"\n## {called}\n\n{' '.join(help_.split())}\n"
    text += f"\n| option | means |\n| --- | --- |\n{rows}" if rows else ""
    return text + (f"\nExample: `{' '.join(example.split())}`\n" if example else "")


def _written(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.name).upper()
    value = "" if param.is_flag else f" {param.metavar or str(param.name).upper()}"
    return ", ".join(param.opts) + value


def _meaning(param: Any) -> str:
    text = str(param.help or "").replace("|", "\\|")
    default = param.default
    plain = default is not None and not callable(default) and default not in (False, "", ())
    return f"{text} Default: `{default}`.".strip() if plain and "efault" not in text else text


def main(folder: Path) -> None:
    """Write every page into `folder`."""
    for name, text in pages().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
    Path(".env.example").write_text(env_example(), encoding="utf-8")
