"""A lake that is built once and changed often: every test begins with it as it was."""

import copy
import shutil

from support.lake import Lake


class Checkpoint:
    """A lake as it is now. It is brought back in its own place, for the paths in its tables are absolute."""

    def __init__(self, lake: Lake) -> None:
        assert lake._source is None, "a transport of one's own may remember what it has answered"
        self._lake, self._now = copy.copy(lake), lake.world.clock.now()
        self._aside = lake.folder.with_name(f"{lake.folder.name}-as-it-was")
        shutil.copytree(lake.folder, self._aside)

    def restored(self) -> Lake:
        """The lake and its world as they were. Whoever holds the lake of an earlier call has this one now."""
        lake = copy.copy(self._lake)
        shutil.rmtree(lake.folder, ignore_errors=True)
        shutil.copytree(self._aside, lake.folder)
        lake.world = lake.scenario.world()
        lake.world.clock.set(self._now)
        lake._query = None
        return lake
