"""`contract`: what the lake relies on, against what Wistia publishes and serves; and what the lake promises."""

from pathlib import Path
from typing import Annotated, Any

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json
from wistlake.errors import ConfigError, SourceChanged

contract = typer.Typer(help="What the lake relies on, and what it promises.", no_args_is_help=True)


@contract.command("diff")
def contract_diff(
    openapi: Annotated[Path, typer.Option(help="An OpenAPI description, YAML or JSON.")],
    as_json: Json = False,
) -> None:
    """Compare the contracts with a published description. Ends with 65 if something is gone or retyped.

    Example: wistlake contract diff --openapi wistia-2026-09.yaml
    """
    from wistlake.contracts import SOURCES
    from wistlake.quality.openapi import diff

    differences = diff(SOURCES, _description(openapi))
    columns = ("dataset", "field", "kind", "is_breaking", "detail")
    rows = output.fields(differences, columns)
    breaking = [d for d in differences if d.is_breaking]
    if as_json:
        output.print_json({"differences": rows, "breaking": len(breaking)})
    else:
        output.table("Differences", columns, rows)
        output.say(f"{len(rows)} differences, {len(breaking)} of them breaking")
    if breaking:
        named = ", ".join(" ".join((d.dataset, d.field or "endpoint", str(d.kind))) for d in breaking)
        raise SourceChanged(f"{openapi.name} does not have what the contracts rely on: {named}")


def _description(path: Path) -> Any:
    import yaml

    if not path.is_file():  # a device may never end
        raise ConfigError(f"--openapi {path} isn't a file: name a description, YAML or JSON")
    try:
        # Every JSON document is YAML, too. The safe loader makes no objects, and bounds aliases by the text.
        description = yaml.safe_load(path.read_bytes())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise ConfigError(f"{path} can't be read as YAML or JSON: {type(e).__name__}") from e
    if not isinstance(description, dict):
        raise ConfigError(f"{path} is no OpenAPI description")
    return description


@contract.command("drift")
def contract_drift(as_json: Json = False) -> None:
    """Fields that Wistia's answers have gained.

    Since the contracts were written, as runs met them.

    Example: wistlake contract drift
    """
    from wistlake.pipeline.run.publish import drift

    fields = drift(session.lake().ledger(read_only=True))
    if as_json:
        output.print_json({"new_fields": fields})
        return
    output.table("New fields", ("dataset", "fields"), ((d, ", ".join(keys)) for d, keys in fields.items()))


@contract.command("export")
def contract_export(
    odcs: Annotated[
        bool, typer.Option("--odcs", help="By the Open Data Contract Standard, version 3; the only form.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON instead of YAML.")] = False,
) -> None:
    """Print what the tables promise, for data catalogs.

    Columns, types, keys, units, classes, limits.

    Example: wistlake contract export --odcs > wistlake.odcs.yaml
    """
    from importlib.metadata import version

    import yaml

    from wistlake.contracts import TABLES
    from wistlake.derive.odcs import document

    if not odcs:
        raise typer.BadParameter("--odcs is missing: the form to print")
    promised = document(TABLES, version("wistlake"))
    if as_json:
        output.print_json(promised)
    else:
        output.say(yaml.safe_dump(promised, sort_keys=False, allow_unicode=True, width=100).rstrip())
