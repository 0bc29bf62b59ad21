"""The last publication as a catalog for readers."""

from collections.abc import Mapping
from typing import Any

from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import StaticTable

from wistlake.adapters.table_files import FilesInspector
from wistlake.ports import Ledger, TableRef


class PublishedCatalog:
    """The part of a PyIceberg catalog that reading needs, always of the newest publication. `inspector` checks each
    table before it is served."""

    def __init__(self, ledger: Ledger, inspector: FilesInspector | None = None) -> None:
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

    def load_namespace_properties(self, _namespace: str) -> Mapping[str, Any]:
        """Always empty."""
        return {}

    def load_table(self, identifier: tuple[str, str]) -> StaticTable:
        """The table as published, or NoSuchTableError. StoreError if it is damaged, or lies outside of the lake."""
        name = ".".join(identifier)
        ref = self._refs().get(name)
        if ref is None:
            raise NoSuchTableError(f"{name} is not published")
        if self._inspector:
            self._inspector.check_readable(name, ref)
        return StaticTable.from_metadata(ref.metadata_location)

    def _refs(self) -> Mapping[str, TableRef]:
        published = self._ledger.publication()
        return published.tables if published else {}
