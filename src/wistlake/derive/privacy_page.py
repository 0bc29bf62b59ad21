"""The page that says which field is of which class and where it goes: from the contracts alone."""

from collections.abc import Iterable, Iterator

from wistlake.contracts.form import Field, Privacy, Source, Table

_FATE = {
    Privacy.NONE: "silver and gold; says nothing about a person",
    Privacy.COARSE: "silver and gold; shared by many",
    Privacy.LINKED: "silver, as served: see above",
    Privacy.PSEUDONYM: "silver and gold, keyed",
    Privacy.MASKED: "silver and gold, personal parts cut out",
    Privacy.PERSONAL: "bronze only, until its retention ends; not even there with redaction on",
}
_HEAD = """\
# Personal data: which field, which class, where it goes

Generated from the contracts. What no contract names never leaves bronze; bronze is kept for
`WISTLAKE_BRONZE_RETENTION_DAYS` (default 30), and so are the refused records of `silver.quarantine`:
`wistlake maintain` lets both go, on AWS every week and beside the bucket's own rule. Silver and gold are
kept until `wistlake forget` removes a person, or the lake is deleted. Logs go to standard error and hold
nothing personal; the lake keeps none of them.

An e-mail address in a title, folder or tag is masked in silver and gold, and with redaction on in bronze.
It makes nobody that person: identity is what Wistia calls so (`email`, `conversion_data`,
`visitor_identity`). Of a page's address, hosts that are IP addresses, sessions and matrix parameters are
masked, and e-mail addresses in any common spelling, base64 among them.

Labels of media are about media: an e-mail address is refused as a value. The ledger, not the tables, keeps who
gave a label: the name with which that person was signed in on their machine. `wistlake forget` is about viewers,
and leaves labels as they are.

A city may single a person out: one viewer in a village. It ends in bronze, unless `WISTLAKE_CITY` is on: then
`silver.fact_events` has it, personal-looking parts masked, and no other table does. `wistlake forget` removes it
with the person's sessions. Switched off, the next run takes it out of every day, those whose raw pages are gone
included; snapshots of before keep it until `wistlake maintain` lets them expire.

`event_key` is kept as Wistia serves it. It says nothing about a person by itself, but whoever has the
account's token can ask Wistia for the session and so for its visitor (who has the token can list them all
anyway). It stays because it is the session's identity: a session that is listed twice, grows or moves to
another day is recognised by it, refused records and `wistlake explain` point to raw pages with it, and a
rebuild must find the same rows whatever keys were turned since. `wistlake forget` removes a person's
sessions with their keys, and looks for each of these keys once more. Don't export the column to people
who have the token and must not know who watched."""


def page(sources: Iterable[Source], tables: Iterable[Table]) -> str:
    """The whole page as Markdown."""
    return "\n".join([_HEAD, *_sources(sources), *_tables(tables)]) + "\n"


def _sources(sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        yield from ("", f"## bronze: {source.name}", "", "| field | class | goes to |", "| --- | --- | --- |")
        yield from (f"| `{f.path}` | {f.privacy} | {_fate(f)} |" for f in source.fields)
        if source.tolerated:
            yield f"| {', '.join(f'`{t}`' for t in source.tolerated)} | not named | bronze only |"


def _fate(field: Field) -> str:
    optional = f"silver, masked, where `{field.kept_by}` is on; else " if field.kept_by else ""
    return f"{optional}{_FATE[field.privacy]}"


def _tables(tables: Iterable[Table]) -> Iterator[str]:
    yield from ("", "## Tables that hold more than facts about media", "")
    yield from ("| table | column | class |", "| --- | --- | --- |")
    for table in tables:
        for column in table.columns:
            if column.privacy is not Privacy.NONE:
                yield f"| `{table.full_name}` | `{column.name}` | {column.privacy} |"
