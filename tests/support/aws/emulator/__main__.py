"""Start the emulator. Settings come by environment: see `support.aws.cloud`."""

import os
import signal
import sys
import threading
from importlib.metadata import version
from types import ModuleType

VERSION = "1.5.33"


def main() -> None:
    """Check what the hooks stand on, hook, and serve until killed, or until standard input ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    found = version("ministack")
    if found != VERSION:
        raise SystemExit(f"the hooks are written for ministack {VERSION}, this is {found}")
    os.environ.pop("PYTHONPATH", None)  # functions get this environment; they shall not get our sources

    from support.aws.emulator import (
        athena_queries,
        cloudformation,
        functions,
        glue_jobs,
        permissions,
        schedules,
        state_machine,
    )

    for module in (
        permissions,
        cloudformation,
        functions,
        state_machine,
        schedules,
        glue_jobs,
        athena_queries,
    ):
        _check(module)
        module.install()
    from ministack.app import main as serve

    serve()


def _end_with_parent() -> None:
    """A killed parent ends nothing itself: neither this process nor those that it has started."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _check(module: ModuleType) -> None:
    for service, names in module.NEEDS:
        missing = [name for name in names if not hasattr(service, name)]
        if missing:
            raise SystemExit(f"{service.__name__} has no {', '.join(missing)}: {module.__name__} can't work")


if __name__ == "__main__":
    main()
