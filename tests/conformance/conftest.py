from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealane.testing.in_process import InProcessCluster, clusters
from sealane.testing.in_process_links import Link

NOON_MS = 1_795_348_800_000  # 2026-11-22T12:00Z


class Noon:
    """A clock that stands still, so that no test sees midnight come."""

    def now_ms(self) -> int:
        return NOON_MS


@dataclass
class Pair:
    """A cluster and its one remote, `eu`."""

    local: InProcessCluster
    eu: InProcessCluster
    link: Link


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """A cluster with the remote `eu`, both empty."""
    async with clusters(tmp_path, "local", "eu", clock=Noon()) as (local, eu):
        yield Pair(local, eu, local.register(eu))
