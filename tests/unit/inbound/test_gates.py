"""Who is let in by which port, judged by headers alone."""

from dataclasses import dataclass, field

import pytest

from sealane.cluster.forwarded import FORWARD
from sealane.cluster.node_reports import REPORT
from sealane.cluster.published import FOLLOW, JOIN, LEAVE
from sealane.cluster.task_lists import CANCEL_TASKS
from sealane.errors import ApiError, AuthenticationFailed, IllegalArgument, SecurityError
from sealane.inbound.cross_cluster import CrossClusterGate
from sealane.inbound.gate import TransportGate
from sealane.inbound.members import MembersGate
from sealane.model.node import Address
from sealane.model.security import SYSTEM, AuthenticationType, Realm, Subject
from sealane.remote.certificate_model import AUTHENTICATION_HEADER, CLUSTER_HEADER
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.remote.transport.messages import SEARCH
from sealane.security.rules.cross_cluster import claimed_subject, is_allowed
from sealane.security.rules.subject_codec import (
    decode_subject,
    encode_subject,
    encode_subject_info,
)
from sealane.transport.gate import Profile
from sealane.wire.families.discovery import KEY_HANDSHAKE, NODE_HANDSHAKE
from tests.integration.security.callers import Key, Keys

ANN = Subject(name="ann", realm=Realm(name="native1", type="native"), roles=("reader",))


@dataclass
class Somewhere:
    peer: Address = field(default_factory=lambda: Address("10.0.0.1", 1))
    certificate: bytes | None = None


def members(*, others_may_come: bool = True) -> MembersGate:
    return MembersGate(
        cluster_uuid=lambda: "ours",
        decode=decode_subject,
        allowed=is_allowed,
        others_may_come=lambda: others_may_come,
    )


def shown(subject: Subject, cluster: str | None = "ours") -> dict[str, str]:
    headers = {AUTHENTICATION_HEADER: encode_subject(subject)}
    return headers if cluster is None else headers | {CLUSTER_HEADER: cluster}


def verdict(gate: MembersGate, action: str, headers: dict[str, str]) -> str:
    try:
        return gate.admit(action, headers, Somewhere()).name
    except ApiError as error:
        return error.reason


def test_a_node_of_this_cluster_asks_for_users_and_for_itself() -> None:
    gate = members()
    assert gate.admit(SEARCH, shown(SYSTEM), Somewhere()) is SYSTEM
    ann = gate.admit(SEARCH, shown(ANN), Somewhere())
    assert (ann.name, ann.roles) == ("ann", ("reader",))
    assert gate.admit(SEARCH, shown(ANN), Somewhere()) is ann
    assert verdict(gate, FORWARD, shown(ANN)) == "ann"
    for action in (JOIN, FOLLOW, LEAVE):
        assert verdict(gate, action, shown(SYSTEM)) == "_system"
        assert "is for the nodes of a cluster among themselves" in verdict(gate, action, shown(ANN))


@pytest.mark.parametrize("action", [JOIN, FOLLOW, LEAVE, FORWARD, REPORT, CANCEL_TASKS])
def test_a_node_of_another_cluster_asks_what_searches_need_and_nothing_else(action: str) -> None:
    """T-21, T-22: whoever it says it asks for."""
    gate = members()
    for subject in (SYSTEM, ANN):
        for cluster in ("theirs", None):
            assert "the asking node is of another one" in verdict(
                gate, action, shown(subject, cluster)
            )
            assert verdict(gate, SEARCH, shown(subject, cluster)) == subject.name


def test_a_node_that_was_never_of_a_cluster_may_join() -> None:
    gate = members()
    assert verdict(gate, JOIN, shown(SYSTEM, "")) == "_system"
    assert verdict(gate, NODE_HANDSHAKE, shown(SYSTEM, "")) == "_system"
    assert "is of another one" in verdict(gate, FOLLOW, shown(SYSTEM, ""))
    assert "among themselves" in verdict(gate, JOIN, shown(ANN, ""))


def test_nobody_comes_without_saying_who() -> None:
    """X-25, E13"""
    with pytest.raises(AuthenticationFailed, match="missing authentication credentials for action"):
        members().admit(KEY_HANDSHAKE, {CREDENTIALS_HEADER: "ApiKey x"}, Somewhere())
    with pytest.raises(IllegalArgument):
        members().admit(SEARCH, {AUTHENTICATION_HEADER: "x"}, Somewhere())


def test_other_users_within_a_node_are_nobody() -> None:
    """T-11"""
    internal = Subject(name="_xpack", realm=SYSTEM.realm, type=AuthenticationType.INTERNAL)
    assert "unexpected internal user [_xpack]" in verdict(members(), SEARCH, shown(internal))


def test_other_clusters_may_be_kept_out() -> None:
    gate = members(others_may_come=False)
    assert verdict(gate, SEARCH, shown(ANN)) == "ann"
    for action in (SEARCH, NODE_HANDSHAKE):
        assert "allow_certificate_model] is [false]" in verdict(gate, action, shown(ANN, "theirs"))


def by_key(keys: Keys) -> CrossClusterGate:
    return CrossClusterGate(keys, claim=claimed_subject, allowed=is_allowed)


GOOD = {CREDENTIALS_HEADER: "ApiKey good", SUBJECT_INFO_HEADER: encode_subject_info(ANN, ((),))}


async def test_a_key_that_changes_makes_another_subject() -> None:
    """T-35: what is remembered of a header lasts as long as the key stays what it is."""
    keys = Keys()
    gate = by_key(keys)
    first = await gate.admit(SEARCH, GOOD, Somewhere())  # type: ignore[misc]
    assert gate.admit(SEARCH, GOOD, Somewhere()) is first
    keys.known["ApiKey good"] = Key(id="key-1")
    second = await gate.admit(SEARCH, GOOD, Somewhere())  # type: ignore[misc]
    assert second is not first
    del keys.known["ApiKey good"]
    with pytest.raises(AuthenticationFailed):
        await gate.admit(SEARCH, GOOD, Somewhere())  # type: ignore[misc]


async def test_what_is_claimed_is_read_after_the_key_was_right() -> None:
    """7. of the pipeline: a wrong key hears nothing of a wrong claim."""
    gate = by_key(Keys())
    broken = {**GOOD, SUBJECT_INFO_HEADER: "broken"}
    with pytest.raises(AuthenticationFailed):
        await gate.admit(SEARCH, {**broken, CREDENTIALS_HEADER: "ApiKey bad"}, Somewhere())  # type: ignore[misc]
    with pytest.raises(IllegalArgument):
        await gate.admit(SEARCH, broken, Somewhere())  # type: ignore[misc]


async def test_each_port_has_its_own_judge() -> None:
    refused: list[str] = []
    gate = TransportGate(
        members=members(),
        by_key=by_key(Keys()),
        on_refused=lambda action, peer, error: refused.append(error.reason),
    )
    with pytest.raises(IllegalArgument):
        gate.admit(Profile.REMOTE_CLUSTER, SEARCH, shown(SYSTEM), Somewhere())
    with pytest.raises(AuthenticationFailed):
        gate.admit(Profile.DEFAULT, SEARCH, GOOD, Somewhere())
    with pytest.raises(SecurityError):
        gate.admit(Profile.DEFAULT, JOIN, shown(SYSTEM, "theirs"), Somewhere())
    assert len(refused) == 3
