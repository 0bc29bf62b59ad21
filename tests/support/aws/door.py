"""A door to the emulated account for those who trust the system's certificates alone, as DuckDB does: it takes plain
HTTP on this machine, and the account behind it still sees TLS, which its buckets demand."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

_CHUNK = 1 << 16


@contextmanager
def plain(port: int, certificate: Path) -> Iterator[str]:
    """The door's address, while the block runs; the account is at `port`."""
    trusted = ssl.create_default_context(cafile=str(certificate))
    opened: Future[tuple[int, Callable[[], object]]] = Future()

    async def join(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, there = await asyncio.open_connection("localhost", port, ssl=trusted)
        try:
            await asyncio.gather(_carry(near, there), _carry(far, back))
        except asyncio.CancelledError:  # the door closes while somebody holds it open
            pass
        finally:
            there.transport.abort()
            back.transport.abort()

    async def serve() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        async with await asyncio.start_server(join, "127.0.0.1", 0) as server:
            at = server.sockets[0].getsockname()[1]
            opened.set_result((at, lambda: loop.call_soon_threadsafe(over.set)))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    at, close = opened.result(10)
    try:
        yield f"http://127.0.0.1:{at}"
    finally:
        close()
        thread.join(10)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(_CHUNK):
            target.write(chunk)
            await target.drain()
    target.close()
