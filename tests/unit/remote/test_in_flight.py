"""How many requests one remote may have under way."""

import pytest

from sealane.errors import Rejected
from sealane.remote import Change
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import FakeDialer, cluster_of
from tests.unit.remote.registries import A, remotes, sniff


@in_virtual_time
async def test_requests_beyond_the_limit_are_rejected() -> None:
    """429, naming the remote and the setting; a place is free again once its request has ended."""
    settings = sniff(max_in_flight_requests="2")
    async with remotes(FakeDialer(*cluster_of(A)), settings) as made:
        await settle()
        cluster = made.cluster("eu")
        with cluster.request():
            with cluster.request():
                assert made.describe(verbose=True)["eu"]["requests_in_flight"] == 2
                with pytest.raises(Rejected) as caught:
                    cluster.request()
            with cluster.request():
                assert cluster.requests_in_flight == 2
        assert cluster.requests_in_flight == 0
    assert (caught.value.status, caught.value.es_type) == (429, "es_rejected_execution_exception")
    assert caught.value.reason == (
        "rejected execution of a request to remote cluster [eu]: [2] are under way, "
        "the limit is [cluster.remote.eu.max_in_flight_requests: 2]"
    )


@in_virtual_time
async def test_a_request_that_fails_gives_its_place_back() -> None:
    async with remotes(FakeDialer(*cluster_of(A)), sniff()) as made:
        cluster = made.cluster("eu")
        with pytest.raises(ValueError, match="broken"), cluster.request():
            raise ValueError("broken")
        assert cluster.requests_in_flight == 0


@in_virtual_time
async def test_the_limit_changes_in_place() -> None:
    """No socket is touched, and what is under way counts on."""
    dialer = FakeDialer(*cluster_of(A))
    async with remotes(dialer, sniff()) as made:
        await settle()
        before = dialer.open_connections
        cluster = made.cluster("eu")
        with cluster.request():
            change = made.apply(sniff(max_in_flight_requests="1"))
            assert change == {"eu": Change.UPDATED}
            assert dialer.open_connections == before
            with pytest.raises(Rejected):
                cluster.request()
