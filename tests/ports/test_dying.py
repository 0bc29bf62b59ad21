"""A process that dies between two writes."""

import pytest

from ports.test_ledger import DAY, NOW, interval
from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from wistlake.errors import LeaseHeld
from wistlake.planning.intervals import MediaEntry
from wistlake.ports import Ledger, Notice, Notifier, ObjectStore, TableStore
from wistlake_soak.dying import MUTATING, Died, Dying


class World:
    """Ports that outlive the process, and the process's own mortal view of them."""

    def __init__(self, death: Dying) -> None:
        self.objects, self.ledger, self.notifier = MemoryObjects(), MemoryLedger(), RecordingNotifier()
        self.mortal = (death.around(self.objects), death.around(self.ledger), death.around(self.notifier))

    def work(self) -> None:
        """Six writes over three ports, with reads in between."""
        objects, ledger, notifier = self.mortal
        with ledger.lease("lake", "r1", NOW, 900):
            objects.put("a", b"")
            assert list(objects.list("")) == ["a"]
            ledger.record([interval()])
            objects.put("b", b"", if_absent=True)
            ledger.put_media([MediaEntry("x", DAY, NOW)])
            ledger.put_facts("lake", {"layout": 1})
            notifier.notify(Notice("done", "", failed=False))

    def writes(self) -> int:
        return (
            len(list(self.objects.list("")))
            + len(self.ledger.intervals())
            + len(self.ledger.media())
            + len(self.ledger.facts("lake"))
            + len(self.notifier.notices)
        )


def test_counting_kills_nobody() -> None:
    death = Dying()
    world = World(death)
    world.work()
    assert death.calls == world.writes() == 6


@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("after", [False, True])
def test_it_dies_at_the_nth_write_of_all_ports(at: int, *, after: bool) -> None:
    world = World(Dying(at, after=after))
    with pytest.raises(Died, match=f"write {at}"):
        world.work()
    assert world.writes() == at - (not after)


def test_the_dead_do_not_clean_up() -> None:
    world = World(Dying(2))
    objects, ledger, _ = world.mortal
    objects.put("a", b"")

    def record_and_clean_up() -> None:
        try:
            ledger.record([interval()])
        finally:
            ledger.put_facts("lake", {"layout": 1})

    with pytest.raises(Died, match="write 3"):
        record_and_clean_up()
    assert world.writes() == 1


def test_no_except_clause_for_errors_survives_it() -> None:
    assert not issubclass(Died, Exception)


def test_the_lease_is_free_for_the_next_process() -> None:
    world = World(Dying(1))
    with pytest.raises(Died):
        world.work()
    with world.ledger.lease("lake", "r2", NOW, 900) as lease:
        assert lease.token == 2


def test_every_writing_method_of_the_ports_is_counted() -> None:
    reading = {
        *("get", "exists", "list", "uri"),
        *(
            "lease",
            "intervals",
            "open_intervals",
            "interval_columns",
            "compacted",
            "watermarks",
            "media",
            "labels",
            "alerts",
            "runs",
        ),
        *("summary", "publication", "publications", "facts"),
        *("spark", "read", "lines", "records", "refs"),
    }
    public = {
        name
        for port in (ObjectStore, Ledger, TableStore, Notifier)
        for name in vars(port)
        if not name.startswith("_")
    }
    assert public - reading == MUTATING


def test_a_lease_that_outlived_its_time_may_be_taken_over() -> None:
    ledger = MemoryLedger()
    with ledger.lease("lake", "stuck", NOW, 60):
        later = NOW.replace(hour=3)
        with ledger.lease("lake", "next", later, 60) as lease:
            assert lease.token == 2
        # The one that was taken over must not free what is not its own.
    with ledger.lease("lake", "last", NOW, 60), pytest.raises(LeaseHeld), ledger.lease("lake", "x", NOW, 60):
        pass
