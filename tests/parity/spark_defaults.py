"""Spark as it suits a few thousand rows: no compiling of plans that run once, the JVM's quick compiler.

Only speed differs, not what is computed: expressions, joins and windows are Spark's own either way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DEFAULTS = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # A heap that begins small is tidied often.
    "spark.driver.extraJavaOptions": "-Xms1g -Xmn640m -XX:MetaspaceSize=384m",
}
# With one compiler alone, Java keeps 48 MB of code, and sweeps it all the time.
_JVM = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC"


@contextmanager
def for_small_data(folder: Path) -> Iterator[None]:
    """Processes started in the block run Spark with these defaults, from a file in `folder`."""
    folder.mkdir(parents=True)
    text = "\n".join(f"{name} {value}" for name, value in _DEFAULTS.items())
    (folder / "spark-defaults.conf").write_text(text + "\n")
    ours = {"SPARK_CONF_DIR": str(folder), "JDK_JAVA_OPTIONS": _JVM}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
