"""The loop of virtual time, with an executor: what is handed to it is done at once, and told of a little later."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar, TypeVarTuple, Unpack

from sealane.testing.simulation.loop import SimulatedLoop

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_DONE_AFTER_S = 0.002


class InlineLoop(SimulatedLoop):
    def __init__(self, chance: Random) -> None:
        super().__init__()
        self._chance = chance

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = self.create_future()

        def tell() -> None:
            if future.done():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)

        self.call_later(self._chance.uniform(0, _DONE_AFTER_S), tell)
        return future
