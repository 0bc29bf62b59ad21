"""A lake that is built once and changed often: every test begins with it as it was."""

import shutil

from support.lake import Lake


class Checkpoint:
    """A lake as it is now. It is brought back in its own place, for the paths in its tables are absolute."""

    def __init__(self, lake: Lake) -> None:
        assert lake._source is None, "a transport of one's own may remember what it has answered"
        self._lake, self._now, self._orders = lake, lake.world.clock.now(), lake.orders
        self._aside = lake.folder.with_name(f"{lake.folder.name}-as-it-was")
        shutil.copytree(lake.folder, self._aside)

    def restored(self) -> Lake:
        """The lake and its world as they were. Whoever holds the lake of an earlier call has this one now."""
        lake = Lake(self._lake.folder, self._lake.scenario)
        shutil.rmtree(lake.folder)
        shutil.copytree(self._aside, lake.folder)
        lake.world.clock.set(self._now)
        lake.orders = self._orders
        return lake
