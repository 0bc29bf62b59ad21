"""Words that nobody would say do not come back to what people read."""

import re
from pathlib import Path

import pytest

from support.some import some

ROOT = Path(__file__).parents[2]
BANNED = (
    r"no (day|time) of ours", r"(?<!here) is no (hashed id|setting|zone|file|folder|lake|id|regular expression)\b",
    r"can be trusted\.\*\*", r"not carried over", r"days anew", r"came home", r"(backup|lake)[^.]* to life\b",
    r"the loss .{0,40}as it is",
)  # fmt: skip
READ = [
    *ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *(ROOT / "src").rglob("*.py"), *ROOT.glob("infra/**/*.py"),
]  # fmt: skip


@pytest.mark.parametrize("phrase", BANNED)
def test_a_phrase_that_nobody_says_is_nowhere(phrase: str) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in some(READ) if path.name != "CHANGELOG.md"}
    found = {
        str(path.relative_to(ROOT)): m[0] for path, text in texts.items() if (m := re.search(phrase, text))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "'x' is no day of ours",
        "{name} is no setting",
        "Bring a backup to life",
        "days anew",
        "{p!r} is no zone",
    ],
)
def test_each_is_recognised(text: str) -> None:
    assert any(re.search(phrase, text) for phrase in BANNED)
