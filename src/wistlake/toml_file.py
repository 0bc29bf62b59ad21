"""Reads TOML files, which people write by hand."""

import tomllib
from pathlib import Path
from typing import Any


def read(path: Path) -> dict[str, Any]:
    """The file's document. OSError or ValueError if it can't be read; their messages never quote its text."""
    return document(path.read_bytes())


def document(content: bytes) -> dict[str, Any]:
    """The document that these bytes are. ValueError as `read`."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise
    except RecursionError:
        raise ValueError("its lists or tables are nested too deeply") from None
    except ValueError:  # of Python's limit for the digits of an integer
        raise ValueError("a number in it has thousands of digits") from None
