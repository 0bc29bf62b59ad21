"""Every setting: its variable, its default, what it means and what it accepts. Declared once, in `declare`.

A value comes from the first of: an explicit argument, the environment, `.env` in the working directory,
`wistlake.toml` there (or the file that WISTLAKE_CONFIG names). Both files use the variables' own names.
Blanks and quotation marks around a value are no part of it. All problems are raised together as one ConfigError,
each with its cure; none quotes a secret.

`values` checks single values, `read` parses the environment and the files, `load` brings them together, `write` makes
the files for `init`, and `document` derives the table of settings and `.env.example`.
"""

from wistlake.settings.document import DOCS, SettingDoc, env_example
from wistlake.settings.load import ArgumentsOnly, Settings, WithoutFiles
from wistlake.settings.read import unsafe
from wistlake.settings.values import NEWEST_API

__all__ = [
    "DOCS",
    "NEWEST_API",
    "ArgumentsOnly",
    "SettingDoc",
    "Settings",
    "WithoutFiles",
    "env_example",
    "unsafe",
]
