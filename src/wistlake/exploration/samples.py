"""Sample files: one response each, with the request that it answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from wistlake.contracts.form import Source
from wistlake.machine import write_private
from wistlake.privacy.redaction import blanked
from wistlake.wistia import Response


@dataclass(slots=True)
class Samples:
    """A folder of samples whose names end in one moment (`now`, UTC). `raw` keeps personal values.

    `written` are the files so far.
    """

    folder: Path
    now: datetime
    raw: bool = False
    written: list[Path] = field(default_factory=list)

    def save(self, name: str, source: Source, request: Mapping[str, Any], page: Response, scope: str) -> Path:
        """Write one response. `scope` is what the response is about: one media, or the account."""
        body = page.body if self.raw else _redacted(source, page.body)
        return self.summary(
            name,
            {
                "scope": scope,
                "request": request,
                "status": page.status,
                "redacted": not self.raw,
                "body": body,
            },
        )

    def summary(self, name: str, document: Mapping[str, Any]) -> Path:
        """Write one JSON document, `<name>_<UTC>.json`; only its owner may open it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.raw:
            # Wherever the folder is: raw samples must not be committed by accident.
            (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")
        path = self.folder / f"{name}_{self.now:%Y%m%dT%H%M%SZ}.json"
        text = json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
        write_private(path, text)
        self.written.append(path)
        return path


def _redacted(source: Source, body: Any) -> Any:
    if isinstance(body, list):
        return [blanked(source, entry) if isinstance(entry, dict) else None for entry in body]
    return blanked(source, body) if isinstance(body, dict) else None
