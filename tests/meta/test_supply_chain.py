"""What comes in with an installation, and what must never have been committed."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

from wistlake.entrypoints import licences

ROOT = Path(__file__).parents[2]
# Anything else asks for a decision: copyleft would bind whoever installs Wistlake.
FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla Public License 2|Zlib|CC0|Unlicense"
)
BOUND = re.compile(r"\b(A?GPL|SSPL|BUSL|Commons Clause|Proprietary)", re.IGNORECASE)
# Detectors of whole shapes. Those of entropy and of key words would name every checksum.
DETECTORS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "DiscordBotTokenDetector",
    "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector",
    "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
TOKEN = re.compile(r"(WISTIA_API_TOKEN|api_password|[Bb]earer)[\"']?\s*[=: ]\s*[\"']?([0-9a-f]{40,})")
# Made up, for tests: hosts of examples, and names that say so.
INVENTED = re.compile(r"example|evil|user:pw|user:\{|canary|CANARY|localhost|127\.0\.0\.1|testing|simulated")


@pytest.fixture(autouse=True)
def _detectors() -> Iterator[None]:
    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}):
        yield


def found_in(lines: Iterable[str]) -> set[tuple[str, str]]:
    """What looks like a secret: its kind, and how its line begins. A secret's own text stays out of the output."""
    text = "\n".join(lines)
    # Asking each detector about each line takes ten times as long as their shapes in the whole text.
    suspicious = {_line_at(text, match.start(), match.end()) for s in _shapes() for match in s.finditer(text)}
    return {
        (kind, line[:30])
        for line in "\n".join(suspicious).splitlines()
        if not INVENTED.search(line)
        for kind in (*(s.type for s in scan_line(line)), *(["Wistia token"] if TOKEN.search(line) else []))
    }


def _shapes() -> list[re.Pattern[str]]:
    detectors = get_mapping_from_secret_type_to_class().values()
    return [
        TOKEN,
        *(s for detector in detectors if detector.__name__ in DETECTORS for s in detector().denylist),
    ]


def _line_at(text: str, start: int, end: int) -> str:
    """The line that a match stands in; the lines, where it begins or ends with a line's end."""
    last = text.find("\n", end)
    return text[text.rfind("\n", 0, start) + 1 : last if last >= 0 else None]


def test_every_licence_is_known_and_free() -> None:
    said = list(licences.rows(ROOT / "requirements"))
    assert len(said) > 50
    wrong = [row[:3] for row in said if not FREE.search(row[2]) or BOUND.search(row[2])]
    assert wrong == []


def test_the_list_is_fresh() -> None:
    written = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert written == licences.page(ROOT / "requirements"), "make docs writes it anew"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("key = 'AKIA" + "ABCDEFGHIJKLMNOP'", "AWS Access Key"),
        ("-----BEGIN RSA PRIVATE " + "KEY-----", "Private Key"),
        ("https://someone:hunter2secret" + "@db.internal/x", "Basic Auth Credentials"),
        ("token ghp" + "_0123456789abcdefghijABCDEFGHIJ012345", "GitHub Token"),
        ("WISTIA_API" + "_TOKEN=" + "0123456789abcdef" * 4, "Wistia token"),
        ("Authorization: Bearer" + " " + "0123456789abcdef" * 4, "Wistia token"),
    ],
)
def test_the_search_finds_what_it_is_for(line: str, kind: str) -> None:
    before = ["x = 1", ""]
    assert found_in([*before, line, "y = 2"]) == {(kind, line[:30])}
    assert found_in([*before, f"{line}  # example"]) == set()


def test_every_detector_exists() -> None:
    there = {found.__name__ for found in get_mapping_from_secret_type_to_class().values()}
    assert set(DETECTORS) <= there


def test_no_secret_was_ever_committed() -> None:
    """Every line that any commit of this history has added; checksums of locked packages left out."""
    command = [
        "git", "log", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-renames", "--format=commit %h", "--",
        ".", ":!requirements/*.txt", ":!*.svg",
    ]  # fmt: skip
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode(errors="replace")
    added = {line[1:] for line in told.splitlines() if line.startswith("+") and len(line) < 2000}
    assert len(added) > 1000
    assert found_in(added) == set()
