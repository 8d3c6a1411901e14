"""The nodes of a cluster as one of them shows them."""

import msgspec

from sealane.cluster.nodes import ClusterNodes
from sealane.cluster.published import PublishedState
from tests.unit.cluster.states import IDENTITY, member, state


def view(shown: PublishedState | None, *, has_master: bool = True) -> ClusterNodes:
    return ClusterNodes(
        identity=lambda: IDENTITY,
        local=lambda: member("g"),
        state=lambda: shown,
        has_master=lambda: has_master,
    )


def test_before_the_first_state_a_node_is_alone_and_without_a_master() -> None:
    nodes = view(None)
    assert [each.name for each in nodes.nodes()] == ["g"]
    assert nodes.master_id == ""
    assert nodes.http_address("id-g") == "g.local:9200"


def test_the_state_says_who_is_there_and_who_is_the_master() -> None:
    nodes = view(state("g", "h"))
    assert [each.name for each in nodes.nodes()] == ["m", "g", "h"]
    assert nodes.master_id == "id-m"
    assert nodes.http_address("id-h") == "h.local:9200"
    assert nodes.http_address("id-x") == ""


def test_a_node_shows_itself_as_it_is_now() -> None:
    old = state("g")
    stale = msgspec.structs.replace(
        old, members=(old.members[0], msgspec.structs.replace(old.members[1], http="old:1"))
    )
    assert view(stale).http_address("id-g") == "g.local:9200"


def test_a_node_that_the_master_has_given_up_still_shows_itself() -> None:
    assert [each.name for each in view(state("h")).nodes()] == ["m", "h", "g"]


def test_while_the_master_is_away_its_state_is_shown_and_no_master() -> None:
    nodes = view(state("g"), has_master=False)
    assert [each.name for each in nodes.nodes()] == ["m", "g"]
    assert nodes.master_id == ""
