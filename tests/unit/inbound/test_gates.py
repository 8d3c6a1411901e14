"""Who is let in by which port, judged by headers alone."""

from dataclasses import dataclass, field, replace

import pytest

from sealane.cluster.forwarded import FORWARD
from sealane.cluster.node_reports import REPORT
from sealane.cluster.published import FOLLOW, JOIN, LEAVE
from sealane.cluster.relay import relay_action
from sealane.cluster.task_lists import CANCEL_TASKS
from sealane.errors import (
    ApiError,
    AuthenticationFailed,
    IllegalArgument,
    IllegalState,
    SecurityError,
)
from sealane.inbound.cross_cluster import CrossClusterGate, VerifiedKey
from sealane.inbound.cross_cluster import by_key as by_the_key
from sealane.inbound.gate import TransportGate
from sealane.inbound.members import MembersGate
from sealane.model.node import Address
from sealane.model.security import SYSTEM, ApiKeyIdentity, AuthenticationType, Realm, Subject
from sealane.remote.certificate_model import AUTHENTICATION_HEADER, CLUSTER_HEADER
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.remote.transport.messages import SEARCH
from sealane.remote.transport.messages_replication import ADD_LEASE, CHANGES
from sealane.security.rules.access import described
from sealane.security.rules.cross_cluster import claimed_subject, is_allowed
from sealane.security.rules.subject_codec import (
    decode_subject,
    encode_subject,
    encode_subject_info,
)
from sealane.transport.gate import Profile
from sealane.wire.families.discovery import KEY_HANDSHAKE, NODE_HANDSHAKE
from sealane.wire.families.sealane import NODES
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
    for cluster in ("theirs", None):
        assert verdict(gate, SEARCH, shown(ANN, cluster)) == "ann"


@pytest.mark.parametrize("action", [SEARCH, relay_action(SEARCH), ADD_LEASE, CHANGES])
def test_a_node_of_another_cluster_reads_nothing_in_its_own_name(action: str) -> None:
    """T-11: what a node does for itself is judged by nobody, so what is in indices is asked for users only."""
    gate = members()
    assert "unauthorized for user [_system]" in verdict(gate, action, shown(SYSTEM, "theirs"))
    assert "unauthorized for user [_system]" in verdict(gate, action, shown(SYSTEM, None))
    assert verdict(gate, NODES, shown(SYSTEM, "theirs")) == "_system"
    assert verdict(gate, action, shown(SYSTEM)) == "_system"


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


async def test_who_is_refused_after_a_while_is_told_of_too() -> None:
    """A key whose secret has to be hashed first: also brute force by this port is seen in the audit log."""
    refused: list[tuple[str, str]] = []
    gate = TransportGate(
        members=members(),
        by_key=by_key(Keys()),
        on_refused=lambda action, peer, error: refused.append((action, error.reason)),
    )
    waiting = gate.admit(
        Profile.REMOTE_CLUSTER, SEARCH, {**GOOD, CREDENTIALS_HEADER: "ApiKey bad"}, Somewhere()
    )
    assert refused == []
    with pytest.raises(AuthenticationFailed):
        await waiting  # type: ignore[misc]
    assert refused == [(SEARCH, f"unable to authenticate user [x] for action [{SEARCH}]")]
    good = await gate.admit(Profile.REMOTE_CLUSTER, SEARCH, GOOD, Somewhere())  # type: ignore[misc]
    assert (good.name, len(refused)) == ("ann", 1)


def test_nobody_comes_in_by_a_port_that_is_closed() -> None:
    """What a certificate's holder says of itself is not believed on the port for keys."""
    gate = TransportGate(members=members(), by_key=None)
    with pytest.raises(IllegalState, match=r"\[_remote_cluster\] is closed"):
        gate.admit(Profile.REMOTE_CLUSTER, SEARCH, shown(SYSTEM), Somewhere())


class Trust:
    """Signatures that are good for as long as `basis` is the same."""

    basis: object = "one"
    checks = 0

    def check(
        self, key: VerifiedKey, subject_info: str, credentials: str, shown: str | None
    ) -> object:
        self.checks += 1
        if self.basis is None:
            raise AuthenticationFailed("no longer trusted")
        return self.basis

    def holds(self, rests_on: object) -> bool:
        return rests_on == self.basis


async def test_a_signature_that_is_no_longer_trusted_lets_nobody_in() -> None:
    """X-72, T-35: what is remembered of a header lasts no longer than its signature is good."""
    trust = Trust()
    gate = CrossClusterGate(Keys(), claim=claimed_subject, allowed=is_allowed, signatures=trust)
    first = await gate.admit(SEARCH, GOOD, Somewhere())  # type: ignore[misc]
    assert gate.admit(SEARCH, GOOD, Somewhere()) is first
    assert trust.checks == 1
    trust.basis = "two"
    assert gate.admit(SEARCH, GOOD, Somewhere()) is not first
    assert trust.checks == 2
    trust.basis = None
    with pytest.raises(AuthenticationFailed, match="no longer trusted"):
        gate.admit(SEARCH, GOOD, Somewhere())


def test_a_key_that_acts_as_a_user_is_told_as_that() -> None:
    """X-42: the key keeps its id, and whom it acts as has none."""
    maker = Realm(name="native1", type="native")
    key = ApiKeyIdentity(id="k1", name="k", creator="owner", creator_realm=maker)
    by = Subject(name="owner", realm=maker, type=AuthenticationType.API_KEY, api_key=key)
    acting = replace(ANN, type=AuthenticationType.API_KEY, authenticated_by=by)
    subject = by_the_key(Key(), claimed_subject(encode_subject_info(acting, ((),))))
    assert described(subject, ()) == (
        "API key id [k1] of user [owner] run as [ann] with assigned roles [reader] authenticated by API key id "
        "[key-1] of user [elastic]"
    )
