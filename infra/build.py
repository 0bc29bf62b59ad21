"""Makes what goes to AWS, below `build/`: the functions' package, the Glue jobs' scripts and package, the wheel.

    python infra/build.py [wheel]

- `build/lambda/`       one folder for all functions, as Lambda unpacks it: no Spark, no boto3, one locale
- `build/glue/`         the scripts and `wistlake.zip`, which `--extra-py-files` brings: nothing is installed there;
                        and `libraries.zip`, boto3 for EMR Serverless, whose Python has none
- `build/dist/`         the wheel: alone with `wheel`; kept beside the others so that a version can be looked at
"""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
SOURCE, DASHBOARD = ROOT / "src" / "wistlake", ROOT / "src" / "wistlake_dashboard"
PYTHON = "3.11"
PLATFORM = "manylinux2014_x86_64"
_LONG_AGO = (2020, 1, 1, 0, 0, 0)  # the same sources make the same bytes
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "cli", "soak")
_SHOWN = shutil.ignore_patterns("__pycache__", "app")  # what only a browser shows
_LOCALE = ("root", "en", "en_001", "en_GB")  # what Babel reads to write for en-GB: all of them are 30 MB


def main() -> None:
    """Build everything anew."""
    shutil.rmtree(BUILD, ignore_errors=True)
    functions()
    glue()
    wheel()


def functions() -> Path:
    """The functions' package: pinned wheels for Lambda's platform, and ours."""
    target = BUILD / "lambda"
    _install("lambda", target)
    shutil.rmtree(target / "bin", ignore_errors=True)
    shutil.copytree(SOURCE, target / SOURCE.name, ignore=_LEFT_OUT)
    shutil.copytree(DASHBOARD, target / DASHBOARD.name, ignore=_SHOWN)
    for data in (target / "babel" / "locale-data").glob("*.dat"):
        if data.stem not in _LOCALE:
            data.unlink()
    return target


def _install(requirements: str, target: Path) -> None:
    """Pinned wheels for AWS's platform."""
    _pip(
        "install",
        *(
            "--requirement",
            str(ROOT / "requirements" / f"{requirements}.txt"),
            "--require-hashes",
            "--no-deps",
        ),
        *("--target", str(target), "--no-compile", "--only-binary", ":all:"),
        *("--python-version", PYTHON, "--implementation", "cp", "--platform", PLATFORM),
    )


def glue() -> Path:
    """The Glue jobs' scripts and package. The package brings the zones too: who knows which ones Glue has."""
    target = BUILD / "glue"
    target.mkdir(parents=True)
    for script in ("glue_build.py", "glue_keep.py"):
        shutil.copy(SOURCE / "entrypoints" / "aws" / script, target)
    _zip(target / "wistlake.zip", SOURCE, BUILD / "lambda" / "tzdata")
    with tempfile.TemporaryDirectory() as folder:
        _install("lambda-runtime", Path(folder))
        _zip(target / "libraries.zip", *(p for p in sorted(Path(folder).iterdir()) if p.name != "bin"))
    return target


def _zip(package: Path, *contents: Path) -> None:
    """An archive of files and folders: the same contents make the same bytes."""
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for given in contents:
            files = sorted(p for p in given.rglob("*") if p.is_file()) if given.is_dir() else [given]
            for path in (p for p in files if "__pycache__" not in p.parts):
                entry = zipfile.ZipInfo(path.relative_to(given.parent).as_posix(), _LONG_AGO)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())


def wheel() -> Path:
    """The wheel."""
    target = BUILD / "dist"
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target), str(ROOT))
    return target


def _pip(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments], check=True
    )


if __name__ == "__main__":
    wheel() if sys.argv[1:] == ["wheel"] else main()
