"""The tree of errors: drawn in full, sorted by what to do next."""

import ast
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from support.some import some
from wistlake import errors
from wistlake.adapters.aws.client import explained
from wistlake.errors import StoreBusy, StoreError, WistlakeError

SOURCE = Path(errors.__file__).parent
DRAWN = re.compile(
    r"^ {4}(?P<place>[│ ]*(?:[├└]── )?)(?P<name>[A-Z]\w+) .*?(?P<code>\d+|failure's)$", re.MULTILINE
)


def drawn() -> dict[str, tuple[str, str]]:
    """Of every class in the docstring: the one that it hangs from, and its exit code."""
    tree: dict[str, tuple[str, str]] = {}
    above: list[str] = []
    for row in DRAWN.finditer(errors.__doc__ or ""):
        depth = len(row["place"]) // 4
        above[depth:] = [row["name"]]
        tree[row["name"]] = (above[depth - 1] if depth else "", row["code"])
    return tree


def declared() -> dict[str, str]:
    """Every class of `src/wistlake` that descends from WistlakeError, with its base."""
    bases = {
        node.name: base.id
        for file in some(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    }
    ours = {"WistlakeError"}
    while more := {name for name, base in bases.items() if base in ours} - ours:
        ours |= more
    return {name: bases[name] for name in ours - {"WistlakeError"}}


def test_every_error_is_drawn_below_its_base() -> None:
    assert {name: above for name, (above, _) in drawn().items() if above} == declared()


def test_the_codes_that_are_drawn_are_the_ones_that_end_the_process() -> None:
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    for name, (_, code) in some(drawn().items()):
        if issubclass(kinds.get(name, str), WistlakeError):
            assert str(kinds[name].exit_code) == code, name


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, StoreBusy),
        ("ProvisionedThroughputExceededException", 400, StoreBusy),
        ("TransactionCanceledException", 400, StoreBusy),
        ("SlowDown", 503, StoreBusy),
        ("InternalError", 500, StoreBusy),
        ("AccessDenied", 403, StoreError),
        ("ValidationException", 400, StoreError),
        ("NoSuchBucket", 404, StoreError),
    ],
)
def test_a_state_machine_repeats_what_passes_by_itself(
    code: str, status: int, kind: type[StoreError]
) -> None:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(StoreError) as failed, explained("the ledger"):
        raise ClientError(answer, "PutItem")  # type: ignore[arg-type]
    assert type(failed.value) is kind
