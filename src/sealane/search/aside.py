"""Merging and showing large answers beside the loop: a hundred thousand buckets take seconds, and others wait for none
of them.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from sealane.reduce import is_large
from sealane.reduce.partial import Partial

T = TypeVar("T")


async def aside(work: Callable[[], T], parts: Iterable[Partial]) -> T:
    """`work` on these answers, in a thread where they are large. It must not touch what others change."""
    if not any(part.aggs and is_large(part.aggs) for part in parts):
        return work()
    return await asyncio.get_running_loop().run_in_executor(None, work)
