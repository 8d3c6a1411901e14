"""Which privileges each call needs: all of its actions must be granted."""

import pytest

from sealane.rest.handlers import ccr
from sealane.rest.router import Route, no_indices
from sealane.security.rules.privileges import (
    cluster_privileges_granting,
    index_privileges_granting,
    is_cluster_action,
)
from tests.unit.rest.ccr.replication import FakeReplication
from tests.unit.rest.fakes import World

OF_RULES = "/_ccr/auto_follow/{name}"
CALLS = {
    ("PUT", "/{index}/_ccr/follow"): {"manage_follow_index"},
    ("POST", "/{index}/_ccr/unfollow"): {"manage_follow_index"},
    ("POST", "/{index}/_ccr/promote"): {"manage_follow_index", "manage_ccr"},
    ("POST", "/{index}/_ccr/failback"): {"manage_follow_index", "manage_ccr"},
    ("POST", "/{index}/_ccr/pause_follow"): {"manage_ccr"},
    ("POST", "/{index}/_ccr/resume_follow"): {"manage_ccr"},
    ("GET", "/{index}/_ccr/verify"): {"manage_ccr"},
    ("GET", "/{index}/_ccr/info"): {"monitor"},
    ("GET", "/{index}/_ccr/stats"): {"monitor"},
    ("GET", "/_ccr/stats"): {"monitor"},
    ("POST", "/{index}/_ccr/forget_follower"): {"manage_leader_index"},
    ("PUT", OF_RULES): {"manage_ccr"},
    ("GET", OF_RULES): {"manage_ccr"},
    ("DELETE", OF_RULES): {"manage_ccr"},
    ("POST", f"{OF_RULES}/pause"): {"manage_ccr"},
    ("POST", f"{OF_RULES}/resume"): {"manage_ccr"},
}


def served() -> dict[tuple[str, str], Route]:
    routes = ccr.routes(World().services(), FakeReplication().parts())
    return {(route.methods[0], route.paths[-1]): route for route in routes}


def granting(action: str) -> list[str]:
    if is_cluster_action(action):
        return cluster_privileges_granting(action)
    return index_privileges_granting(action)


def test_every_call_is_listed() -> None:
    assert set(served()) == set(CALLS)


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_the_documented_privileges_are_what_it_takes(call: tuple[str, str]) -> None:
    """Each of them grants one of its actions, and together they grant all."""
    route = served()[call]
    actions = [route.action, *route.also]
    granted = {
        privilege: {a for a in actions if privilege in granting(a)} for privilege in CALLS[call]
    }
    assert all(granted.values())
    assert set().union(*granted.values()) == set(actions)


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_reading_and_writing_an_index_are_not_enough(call: tuple[str, str]) -> None:
    """Neither are the rights on the other side of a replication."""
    route = served()[call]
    found = {each for action in (route.action, *route.also) for each in granting(action)}
    assert not found & {"read", "write", "cross_cluster_replication", "read_ccr", "none"}


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_actions_on_indices_are_judged_by_name(call: tuple[str, str]) -> None:
    route = served()[call]
    assert (route.indices is no_indices) == is_cluster_action(route.action)
