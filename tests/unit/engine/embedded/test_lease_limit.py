"""As many leases as a shard can look through: whoever asks for more is told to come again."""

from pathlib import Path

import pytest

from sealane.engine.embedded import retained
from sealane.errors import Rejected
from sealane.model.replication import LEASE_SOURCE
from sealane.testing.in_process import clusters


async def test_leases_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-4: those that are there are renewed and removed as before, and room is there again then."""
    monkeypatch.setattr(retained, "LEASES_MAX", 2)
    async with clusters(tmp_path, "one") as (one,):
        await one.call("PUT", "/leader")
        index = one.indices.metadata.index("leader")
        assert index is not None
        for name in ("a", "b"):
            await one.engine.add_lease(index.uuid, 0, name, 0, LEASE_SOURCE)
        with pytest.raises(Rejected, match=r"the shard has \[2\], which is the limit"):
            await one.engine.add_lease(index.uuid, 0, "c", 0, LEASE_SOURCE)
        await one.engine.renew_lease(index.uuid, 0, "a", 0, LEASE_SOURCE)
        await one.engine.remove_lease(index.uuid, 0, "b")
        await one.engine.add_lease(index.uuid, 0, "c", 0, LEASE_SOURCE)
