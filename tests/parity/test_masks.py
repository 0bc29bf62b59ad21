"""Apache Spark masks pages and names as Sail and Python do: its expression engine is Java's."""

from pathlib import Path

import pytest

from parity.spark_defaults import for_small_data
from support.masks import NAMES, PAGES, names_of, pages_of
from support.processes import in_process
from wistlake.adapters import local_spark
from wistlake.adapters.local_catalog import LocalCatalog

pytestmark = [pytest.mark.engine, pytest.mark.spark, pytest.mark.timeout(300)]


def compare(folder: Path) -> None:
    """Writes down which pages and names Spark makes something else of."""
    with local_spark.session(LocalCatalog(folder / "lake").sql, folder / "scratch") as spark:
        pages, names = pages_of(spark), names_of(spark)
    nowhere = (None, None, None)
    other = [
        url for url, stays in PAGES.items() if pages[url] != (stays, nowhere if stays[0] is None else stays)
    ]
    other += [text for text in NAMES if names[text] != NAMES[text]]
    (folder / "other.txt").write_text("\n".join(other), encoding="utf-8")


def test_spark_masks_as_python_does(tmp_path: Path) -> None:
    with for_small_data(tmp_path / "conf"):
        assert in_process(compare, tmp_path, seconds=240) == 0
    assert (tmp_path / "other.txt").read_text(encoding="utf-8") == ""
