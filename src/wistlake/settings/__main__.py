"""`python -m wistlake.settings` writes `.env.example`."""

from pathlib import Path

from wistlake.settings import env_example

Path(".env.example").write_text(env_example(), encoding="utf-8")
