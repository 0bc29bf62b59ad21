"""The two settings files, as `init` leaves them."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from wistlake.machine import write_private
from wistlake.settings.declare import DOTENV, TOML


def write(token: str, values: Mapping[str, str]) -> None:
    """Write both files, or neither: half of the settings would stand in the way of the next try."""
    # JSON's texts are TOML's, whatever they hold.
    lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
    texts = {DOTENV: f"WISTIA_API_TOKEN={token}\n", TOML: "".join(lines)}
    tomllib.loads(texts[TOML])
    fresh = [Path(f"{name}.new") for name in texts]
    try:
        for path, text in zip(fresh, texts.values(), strict=True):
            write_private(path, text)
        for path, name in zip(fresh, texts, strict=True):
            path.replace(name)
    finally:
        for path in fresh:
            path.unlink(missing_ok=True)
