"""What was published, as a catalog for readers: each table where the last publication left it."""

from collections.abc import Mapping
from typing import Any

from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import StaticTable

from wistlake.ports import Ledger


class PublishedCatalog:
    """The part of a PyIceberg catalog that reading needs. Follows new publications as they come."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def list_namespaces(self) -> list[tuple[str, ...]]:
        """The layers."""
        return sorted({(name.partition(".")[0],) for name in self._locations()})

    def list_tables(self, namespace: str) -> list[tuple[str, ...]]:
        """The tables of one layer."""
        return sorted(
            (layer, name)
            for layer, _, name in (full.partition(".") for full in self._locations())
            if layer == namespace
        )

    def load_namespace_properties(self, namespace: str) -> Mapping[str, Any]:
        """None are kept."""
        return {}

    def load_table(self, identifier: tuple[str, str]) -> StaticTable:
        """The table as published; NoSuchTableError if it is not."""
        location = self._locations().get(".".join(identifier))
        if location is None:
            raise NoSuchTableError(f"{'.'.join(identifier)} is not published")
        return StaticTable.from_metadata(location)

    def _locations(self) -> dict[str, str]:
        published = self._ledger.publication()
        return {n: r.metadata_location for n, r in published.tables.items()} if published else {}
