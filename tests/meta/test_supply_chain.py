"""What comes in with an installation, and what must never have been committed."""

import re
import subprocess
from collections.abc import Iterator
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


def found_in(line: str) -> list[str]:
    """What looks like a secret in one line."""
    if INVENTED.search(line):
        return []
    return [*(s.type for s in scan_line(line)), *(["Wistia token"] if TOKEN.search(line) else [])]


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
    assert kind in found_in(line)


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
    # A secret's own text stays out of the test's output.
    assert {(kind, line[:30]) for line in added for kind in found_in(line)} == set()
