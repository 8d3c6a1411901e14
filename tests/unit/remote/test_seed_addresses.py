"""A seed whose name has several addresses."""

from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import FakeDialer, FakeNode, cluster_of, refused
from tests.unit.remote.registries import A, remotes, sniff


@in_virtual_time
async def test_each_round_begins_at_another_address_of_a_seed() -> None:
    """The first one may take connections and be no node, or one that hangs."""
    nodes = cluster_of(A)
    dialer = FakeDialer(*nodes)
    nodes[0].error = refused(A.address)
    async with remotes(dialer, sniff()):
        await settle(10)
        assert [profile.first_address for profile in dialer.profiles] == [0, 1, 2, 3]


@in_virtual_time
async def test_two_seeds_do_not_keep_step() -> None:
    """Two failures a round would skip every other address."""
    dialer = FakeDialer(*[FakeNode(A, error=refused(A.address))])
    async with remotes(dialer, sniff("10.0.0.1:9300", "10.0.0.1:9301")):
        await settle(5)
        assert [profile.first_address for profile in dialer.profiles] == [0, 0, 1, 1, 2, 2]
