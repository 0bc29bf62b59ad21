"""What was published, as a catalog for readers: each table where the last publication left it."""

from collections.abc import Mapping
from typing import Any

from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import StaticTable

from wistlake.adapters.table_files import Inspector
from wistlake.ports import Ledger, TableRef


class PublishedCatalog:
    """The part of a PyIceberg catalog that reading needs. Follows new publications as they come. `inspector`
    looks at a table before anybody gets it."""

    def __init__(self, ledger: Ledger, inspector: Inspector | None = None) -> None:
        self._ledger, self._inspector = ledger, inspector

    def list_namespaces(self) -> list[tuple[str, ...]]:
        """The layers."""
        return sorted({(name.partition(".")[0],) for name in self._refs()})

    def list_tables(self, namespace: str) -> list[tuple[str, ...]]:
        """The tables of one layer."""
        return sorted(
            (layer, name)
            for layer, _, name in (full.partition(".") for full in self._refs())
            if layer == namespace
        )

    def load_namespace_properties(self, namespace: str) -> Mapping[str, Any]:
        """None are kept."""
        return {}

    def load_table(self, identifier: tuple[str, str]) -> StaticTable:
        """The table as published; NoSuchTableError if it is not. StoreError if it is damaged, or lies elsewhere."""
        name = ".".join(identifier)
        ref = self._refs().get(name)
        if ref is None:
            raise NoSuchTableError(f"{name} is not published")
        if self._inspector:
            self._inspector.readable(name, ref)
        return StaticTable.from_metadata(ref.metadata_location)

    def _refs(self) -> Mapping[str, TableRef]:
        published = self._ledger.publication()
        return published.tables if published else {}
