"""A cluster that holds a good key and lies about everything else: what it claims never gets it more than the key does.

The frames are written by hand and sent to a whole node, over TLS.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sealane.model.clusters import ResolveClusterRequest
from sealane.model.node import Address
from sealane.model.search import IndicesOptions
from sealane.model.security import (
    SYSTEM,
    ApiKeyIdentity,
    AuthenticationType,
    IndexPrivileges,
    Realm,
    RoleDescriptor,
    Side,
    Subject,
)
from sealane.remote.address import parse_address
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.remote.transport.messages_clusters import (
    RESOLVE_CLUSTER,
    decode_cluster_match,
    encode_resolve_cluster,
)
from sealane.security.rules.cross_cluster import is_allowed
from sealane.security.rules.subject_codec import encode_subject_info
from sealane.wire.families.discovery import NODE_HANDSHAKE
from sealane.wire.families.sealane import SEALANE
from tests.integration.security.callers import calling
from tests.integration.security.pair import Pair, secured_pair

NATIVE = Realm(name="native1", type="native")
ELASTIC = Subject(name="elastic", realm=NATIVE, roles=("superuser",))
EVERYTHING: Side = (
    RoleDescriptor(
        name="forged",
        cluster=("all",),
        indices=(
            IndexPrivileges(names=("*",), privileges=("all",), allow_restricted_indices=True),
        ),
    ),
)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with secured_pair(tmp_path) as pair:
        yield pair


def asking_for(*names: str) -> bytes:
    return encode_resolve_cluster(
        ResolveClusterRequest(expressions=names, options=IndicesOptions())
    )


async def outcome(
    pair: Pair,
    key: str,
    subject: Subject,
    *sides: Side,
    action: str = RESOLVE_CLUSTER,
    payload: bytes = b"",
    info: str | None = None,
) -> str:
    """`found`, `nothing`, or why not."""
    headers = {
        CREDENTIALS_HEADER: f"ApiKey {key}",
        SUBJECT_INFO_HEADER: encode_subject_info(subject, sides) if info is None else info,
    }
    tls = pair.keys_authority.client_context()
    address: Address = parse_address(pair.east.remote_cluster)
    async with calling(address, tls=tls) as caller:
        caller.send(action, headers, payload)
        answer = await caller.answer()
        if answer is None:
            return "closed"
        if answer.is_error:
            return SEALANE.read_error(answer.body).reason
        return "found" if decode_cluster_match(bytes(answer.body)).matches else "nothing"


async def test_claimed_rights_do_not_exceed_the_key(pair: Pair) -> None:
    """X-53, T-1: all on everything is cut down to what the key grants; and to what was claimed, where that is less."""
    key = (await pair.key())["encoded"]
    asked = asking_for("logs-1")
    assert await outcome(pair, key, ELASTIC, EVERYTHING, payload=asked) == "found"
    hidden = await outcome(pair, key, ELASTIC, EVERYTHING, payload=asking_for("private-1"))
    assert "is unauthorized for user [elastic] with assigned roles [superuser]" in hidden
    restricted = await outcome(pair, key, ELASTIC, EVERYTHING, payload=asking_for(".security"))
    assert "is unauthorized" in restricted
    assert await outcome(pair, key, ELASTIC, EVERYTHING, payload=asking_for("*")) == "found"
    nothing = await outcome(pair, key, ELASTIC, EVERYTHING, (), payload=asked)
    assert "is unauthorized" in nothing
    assert "is unauthorized" in await outcome(pair, key, ELASTIC, payload=asked)


async def test_the_node_itself_has_what_it_has_and_no_more(pair: Pair) -> None:
    """X-52: whatever is said of its rights."""
    key = (await pair.key())["encoded"]
    refused = await outcome(pair, key, SYSTEM, EVERYTHING, payload=asking_for("logs-1"))
    assert "is unauthorized for user [_system]" in refused


async def test_claims_that_nobody_may_make(pair: Pair) -> None:
    """X-50, X-51, T-10, T-11"""
    key = (await pair.key())["encoded"]
    asked = asking_for("logs-1")
    identity = ApiKeyIdentity(id="x", name="x", creator="elastic", creator_realm=NATIVE)
    nested = replace(ELASTIC, type=AuthenticationType.CROSS_CLUSTER_ACCESS, api_key=identity)
    reason = await outcome(pair, key, nested, EVERYTHING, payload=asked)
    assert reason == "nested cross cluster access is not supported"
    for name in ("_xpack_security", "_async_search", "_security_profile", "elastic"):
        internal = replace(SYSTEM, name=name)
        reason = await outcome(pair, key, internal, EVERYTHING, payload=asked)
        assert f"unexpected internal user [{name}]" in reason


@pytest.mark.parametrize(
    "info",
    ["", "x", "e30=", "bnVsbA==", "A" * 60_000, "/" * 48_000, "W1tbW1tbW1tbW1tbW1tbW1tbW1tb" * 200],
)
async def test_claims_that_cannot_be_read(pair: Pair, info: str) -> None:
    """X-108, T-30: refused in words, or cut off; the node goes on."""
    key = (await pair.key())["encoded"]
    told = await outcome(pair, key, ELASTIC, payload=asking_for("logs-1"), info=info)
    assert told not in ("found", "nothing")
    found = await outcome(pair, key, ELASTIC, EVERYTHING, payload=asking_for("logs-1"))
    assert found == "found"


async def test_no_other_action_is_reachable(pair: Pair) -> None:
    """X-60, X-61, T-21, T-22: of all that the node has handlers for, refused before anything is authorized."""
    key = (await pair.key({"search": [{"names": ["*"]}]}))["encoded"]
    base = pair.east.node._base
    assert base is not None
    actions = [*base.transport._dispatcher.handlers, NODE_HANDSHAKE, "indices:data/write/bulk"]
    refused = [action for action in actions if not is_allowed(action)]
    assert len(refused) > 8
    for action in refused:
        reason = await outcome(pair, key, ELASTIC, EVERYTHING, action=action)
        assert reason.startswith(f"action [{action}] is not one that other clusters may ask for")
