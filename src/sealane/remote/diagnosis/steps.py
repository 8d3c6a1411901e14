"""The steps of one attempt as they happen, each with its time.

Implements the transport's `Watch`. What the steps mean, and what a failure is called, is left to
others.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sealane.settings import TimeValue
from sealane.transport import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step that has ended."""

    step: Step
    ok: bool
    nanos: int
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        body = {"step": str(self.step), "ok": self.ok, **took(self.nanos)}
        return body | ({"detail": self.detail} if self.detail else {})


def took(nanos: int) -> dict[str, Any]:
    """A duration for people and for programs."""
    return {"took": str(TimeValue(nanos)), "took_nanos": nanos}


class Steps:
    """`on_end` hears of each step when it is settled, once.

    A step that is begun again, with another form of the handshake, takes the place of its first
    record and of what came after it.
    """

    def __init__(
        self, on_end: Callable[[StepRecord], None], now: Callable[[], float] | None = None
    ) -> None:
        """`now` gives seconds; the loop's clock where it is None, which uvloop rounds to
        milliseconds."""
        self._on_end = on_end
        self._now = asyncio.get_running_loop().time if now is None else now
        self._step: Step | None = None
        self._began = 0.0
        self._paused: float | None = None
        self._detail = ""
        self._told: set[Step] = set()
        self.records: list[StepRecord] = []

    @property
    def running(self) -> Step | None:
        """The step that has begun and not ended."""
        return self._step

    def begin(self, step: Step) -> None:
        if self._step is not None and not _before(self._step, step):
            self._step = self._paused = None
        self.end()
        self.records = [each for each in self.records if _before(each.step, step)]
        self._step, self._began, self._detail = step, self._now(), ""

    def learn(self, detail: str) -> None:
        self._detail = detail

    def pause(self) -> None:
        """What the step needed is there; whether it is right is judged later, in time that does not
        count."""
        self._paused = self._now()

    def end(self, *, ok: bool = True) -> None:
        """Settles the step that runs, if one does."""
        if self._step is None:
            return
        until = self._now() if self._paused is None else self._paused
        record = StepRecord(
            step=self._step,
            ok=ok,
            nanos=max(0, round((until - self._began) * 1e9)),
            detail=self._detail,
        )
        self._step = self._paused = None
        self.records.append(record)
        if record.step not in self._told or not ok:
            self._told.add(record.step)
            self._on_end(record)

    def repeat(self, records: list[StepRecord]) -> None:
        """Takes over what was done once for several attempts."""
        self.records.extend(records)


def _before(one: Step, other: Step) -> bool:
    order = list(Step)
    return order.index(one) < order.index(other)
