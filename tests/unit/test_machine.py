"""Failures of the machine are told with their cure, whichever library met them."""

import errno
import os

import pytest

from wistlake import machine
from wistlake.errors import ConfigError, StoreError, WistlakeError


def failed(number: int, path: str | bytes | None = None) -> OSError:
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (failed(errno.EMFILE), StoreError, "ulimit -n 1024"),
        (failed(errno.ENOSPC, "/lake/a"), StoreError, "^/lake/a is full .No space left"),
        (failed(errno.ENOSPC), StoreError, "^the disk is full"),
        (failed(errno.EADDRINUSE), ConfigError, "the port is in use"),
        (failed(errno.EACCES, b"/lake/b"), StoreError, "^/lake/b: Permission denied: look at its rights"),
        (failed(errno.EACCES), StoreError, "those below 1024 are for root"),
        (failed(errno.ENOENT, "/lake"), ConfigError, "^/lake: .*correct the path"),
        (failed(errno.EIO, "/lake"), StoreError, "look at the disk"),
        (MemoryError(), StoreError, "short of memory or threads .MemoryError."),
        (RuntimeError("can't start new thread"), StoreError, "short of memory or threads .RuntimeError."),
        (UnicodeEncodeError("utf-8", "a\udcff", 1, 2, "surrogates"), ConfigError, "write it in UTF-8"),
    ],
)
def test_each_failure_has_its_cure(error: Exception, kind: type[WistlakeError], text: str) -> None:
    with pytest.raises(kind, match=text):
        raise machine.refusal(error) or AssertionError
    wrapped = ValueError("a library's own")
    wrapped.__cause__ = error
    with pytest.raises(kind, match=text):
        raise machine.refusal(wrapped) or AssertionError


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug of ours"),
        failed(errno.ENOENT),  # of no path: nobody could correct it
        failed(errno.EPIPE, "/lake"),
        UnicodeEncodeError("ascii", "\u00fc", 0, 1, "not in range"),
    ],
)
def test_what_is_no_failure_of_the_machine_is_none(error: Exception) -> None:
    assert machine.refusal(error) is None


def test_an_error_that_is_its_own_cause_is_looked_at_once() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one
    assert machine.refusal(one) is None


def test_too_few_files_are_known_behind_other_errors() -> None:
    behind = ValueError("no connection")
    behind.__context__ = failed(errno.EMFILE)
    assert machine.lacks_files(behind)
    assert not machine.lacks_files(failed(errno.ENOENT))
    assert not machine.lacks_files(ValueError("else"))


@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [(256, 1024, 1024), (256, -1, 4096), (256, 9999, 4096), (4096, 8192, None), (-1, -1, None)],
)
def test_a_run_may_open_as_many_files_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, expected: int | None
) -> None:
    import resource

    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "RLIM_INFINITY", -1)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
    machine.open_enough_files()
    assert limits == ([] if expected is None else [(expected, hard)])


@pytest.mark.parametrize(("hard", "is_enough"), [(127, False), (128, True)])
def test_too_few_files_for_a_run_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, hard: int, is_enough: bool
) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    if is_enough:
        machine.open_enough_files()
    else:
        with pytest.raises(StoreError, match="127 files at once, and a run needs 128"):
            machine.open_enough_files()
