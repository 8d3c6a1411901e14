"""`sealane start`: a node in the foreground, from its settings to its clean stop."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from sealane.cli.first_start import FirstStart
from sealane.cli.seldom import Seldom
from sealane.cli.terminal import NoAnswerError, ask_secret
from sealane.errors import ApiError
from sealane.model.security import Secret
from sealane.node import Node, StartError, load_settings
from sealane.node.config import config_folder
from sealane.node.keystore import refuse_to_ask
from sealane.settings import Settings
from sealane.transport import TaskScope
from sealane.transport.descriptors import allow_open_files

_log = logging.getLogger("sealane.cli")
_STOP_WITHIN_S = 20


def start(*, config: Path | None, overrides: Sequence[str]) -> int:
    """Runs until SIGTERM or SIGINT. Returns 0 after a clean stop, 1 when the node could not start."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="[%(asctime)s][%(levelname)-5s][%(name)s] %(message)s",
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(Seldom("sealane.transport"))
    allow_open_files()
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            # Before the loop has the signals: Ctrl-C ends a question for the keystore's password.
            first = FirstStart(to_terminal=sys.stderr.isatty())
            settings = load_settings(config, overrides, _keystore_password, first.configured)
            return runner.run(_run(settings, first))
        except (ApiError, StartError) as error:
            print(f"sealane: {_told(error)}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 128 + signal.SIGINT


def _keystore_password() -> Secret:
    try:
        return ask_secret("Enter password for the keystore : ")
    except NoAnswerError:
        return refuse_to_ask()


async def _run(settings: Settings, first: FirstStart) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stop, number)
    node = Node(settings)
    try:
        if not await _start(node, stop):
            return 0
        print(orjson.dumps(node.ready_line()).decode(), flush=True)
        first.tell(
            node.made_password,
            url=node.url,
            folder=config_folder(settings),
            ca_file=node.made_authority,
        )
        await stop.wait()
        _log.info("stopping")
    finally:
        await _close(node)
    return 0


async def _start(node: Node, stop: asyncio.Event) -> bool:
    """False where a signal came first: a node that joins another may wait long for it."""
    starting = asyncio.current_task()
    assert starting is not None

    async def cancel_when_stopped() -> None:
        await stop.wait()
        starting.cancel()

    async with TaskScope("start") as scope:
        scope.start(cancel_when_stopped())
        try:
            await node.start()
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
            starting.uncancel()
            _log.info("stopped before the start was over")
            return False
    return True


def _stop(stop: asyncio.Event, number: signal.Signals) -> None:
    """The first signal lets what runs end; the second ends the process as a crash would, which costs
    nothing that was acknowledged."""
    if stop.is_set():
        _log.warning("stopping at once")
        os._exit(128 + number)
    stop.set()


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
