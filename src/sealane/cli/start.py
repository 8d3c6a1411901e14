"""`sealane start`: a node in the foreground, from its settings to its clean stop."""

import asyncio
import logging
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from sealane.errors import ApiError
from sealane.node import Node, StartError, load_settings

_log = logging.getLogger("sealane.cli")
_STOP_WITHIN_S = 20


def start(*, config: Path | None, overrides: Sequence[str]) -> int:
    """Runs until SIGTERM or SIGINT. Returns 0 after a clean stop, 1 when the node could not start."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="[%(asctime)s][%(levelname)-5s][%(name)s] %(message)s",
    )
    _allow_open_files()
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_run(config, overrides))
        except (ApiError, StartError) as error:
            print(f"sealane: {_told(error)}", file=sys.stderr)
            return 1


async def _run(config: Path | None, overrides: Sequence[str]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    node = Node(load_settings(config, overrides))
    try:
        await node.start()
        print(orjson.dumps(node.ready_line()).decode(), flush=True)
        await stop.wait()
        _log.info("stopping")
    finally:
        await _close(node)
    return 0


def _allow_open_files() -> None:
    """As many as the system lets this process have: an index holds about six, a connection one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _close(node: Node) -> None:
    """A clean stop, within limits: one that hangs is a bug, and the log says where."""
    try:
        async with asyncio.timeout(_STOP_WITHIN_S):
            await node.close()
    except TimeoutError:
        waiting = [repr(task) for task in asyncio.all_tasks()]
        _log.error("the node did not stop within %s s: %s", _STOP_WITHIN_S, waiting)


def _told(error: Exception) -> str:
    """One line a person can act on: the reason, and what other settings are wrong too."""
    if not isinstance(error, ApiError):
        return str(error)
    return "; ".join([error.reason, *(each.reason for each in error.suppressed)])
