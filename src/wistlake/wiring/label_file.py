"""A file of labels, as the settings or a command name it."""

from collections.abc import Mapping
from pathlib import Path

from wistlake.errors import ConfigError
from wistlake.planning.label_files import LARGEST, Line, parsed


def read(path: Path, named_by: str) -> Mapping[str, Line]:
    """Its lines by media. ConfigError names every line that can't be taken; `named_by` is the option or setting."""
    try:
        with path.open("rb") as file:
            data = file.read(4 * LARGEST + 1)  # bytes of a character, at most
        lines = parsed(data.decode())
    except OSError as e:
        raise ConfigError(f"{named_by} {path} can't be read ({e.strerror}): name a file of labels") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"{named_by} {path} isn't in UTF-8: save it as “CSV UTF-8”") from e
    except ConfigError as e:
        raise ConfigError([f"{path}, {problem}" for problem in e.problems]) from e
    if not lines:
        raise ConfigError(f"{named_by} {path} names no media: give each a line")
    return lines
