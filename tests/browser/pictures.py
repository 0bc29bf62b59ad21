"""The pictures in docs: report and dashboard of a simulated fortnight, light and dark, wide and narrow.

python -m browser.pictures FOLDER [LAKE]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium.webdriver import Chrome

from browser.chrome import LOOKS, chromium, fresh, look, screenshot
from browser.served import PAGES, command, dashboard, height, open_page

ALL_PAGES = ((1280, "light"), (390, "dark"))
TALLEST = {1280: 1500, 390: 1700}


def simulated(folder: Path) -> Path:
    """A lake with fourteen days in it."""
    lake = folder / "lake"
    demo = [
        sys.executable,
        "-m",
        "wistlake.entrypoints.cli.main",
        "demo",
        "--days",
        "14",
        "--lake",
        str(lake),
    ]
    subprocess.run(demo, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return lake


def take(driver: Chrome, path: Path, width: int, scheme: str) -> None:
    """The upper part of the page, as a small file."""
    screenshot(driver, path, width, scheme, height(driver))
    with Image.open(path) as whole:
        part = whole.convert("RGB").crop((0, 0, width, min(whole.height, TALLEST[width])))
    few = part.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def main(folder: Path, lake: Path) -> None:
    """Every picture."""
    report = lake.parent / "pictured-report.html"
    assert command(lake, "report", "--out", str(report)).wait(120) == 0
    with dashboard(lake) as address, chromium() as driver:
        for width, scheme in LOOKS:
            look(driver, width, scheme)
            fresh(driver)
            driver.get(report.as_uri())
            take(driver, folder / f"report-{scheme}-{width}.png", width, scheme)
            fresh(driver)
            for page in PAGES if (width, scheme) in ALL_PAGES else PAGES[:1]:
                look(driver, width, scheme)
                open_page(driver, address, page)
                take(driver, folder / f"dashboard-{page or 'overview'}-{scheme}-{width}.png", width, scheme)


if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    if len(sys.argv) > 2:
        main(target, Path(sys.argv[2]).resolve())
    else:
        with tempfile.TemporaryDirectory() as made:
            main(target, simulated(Path(made)))
