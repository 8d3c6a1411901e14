"""Somebody who copies by a key what the key does not grant, and followers of whom something is taken away."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sealane.model.replication import ChangesRequest, CopyRequest, ShardRef
from sealane.model.security import SYSTEM, IndexPrivileges, RoleDescriptor, Side
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.remote.transport import messages_replication as messages
from sealane.remote.transport.messages import SEARCH
from sealane.remote.transport.messages_replication import (
    HISTORIES_MESSAGE,
    STATE_MESSAGE,
    DocumentsRequest,
    HistoriesRequest,
    LeaseRequest,
    OpenCopyRequest,
    StateRequest,
    decode_changes_answer,
)
from sealane.security.rules.subject_codec import encode_subject_info
from tests.security.attacks.key_port import CANARY, ELASTIC, Answered, Attacker, attacking
from tests.security.attacks.test_t_01_stolen_key import search

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH = {
    "search": [{"names": ["private-1"], "allow_restricted_indices": True}],
    "replication": [{"names": ["logs*"]}],
}
COPYING = {"replication": [{"names": ["logs*"]}]}
SEARCHING = {"search": [{"names": ["*"], "allow_restricted_indices": True}]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attacker]:
    async with attacking(tmp_path_factory.mktemp("attack")) as found:
        found.key = (await found.pair.key(COPYING))["encoded"]
        alias = {"actions": [{"add": {"index": "logs-1", "alias": "logs-all"}}]}
        await found.pair.east.make("POST", "/_aliases", alias)
        yield found


def reads(shard: ShardRef, history: str = "h", lease: str = "lease") -> dict[str, bytes]:
    """By action, the request that names a shard."""
    changes = ChangesRequest(
        shard=shard,
        from_seq_no=0,
        max_count=100,
        max_bytes=1 << 20,
        poll_timeout_ms=0,
        history_uuid=history,
    )
    copy = CopyRequest(
        shard=shard,
        from_seq_no=0,
        to_seq_no=2,
        max_count=100,
        max_bytes=1 << 20,
        history_uuid=history,
    )
    ids = DocumentsRequest(shard=shard, ids=("0", "1", "2"), history_uuid=history)
    held = LeaseRequest(shard=shard, lease_id=lease, retaining_seq_no=2)
    return {
        messages.CHANGES: messages.CHANGES_MESSAGE.encode(changes),
        messages.COPY: messages.COPY_MESSAGE.encode(copy),
        messages.DOCUMENTS: messages.DOCUMENTS_MESSAGE.encode(ids),
        messages.ADD_LEASE: messages.ADD_LEASE_MESSAGE.encode(held),
        messages.OPEN_COPY: messages.OPEN_COPY_MESSAGE.encode(
            OpenCopyRequest(shard=shard, lease_id=lease)
        ),
        messages.RENEW_LEASE: messages.RENEW_LEASE_MESSAGE.encode(held),
        messages.REMOVE_LEASE: messages.REMOVE_LEASE_MESSAGE.encode(held),
    }


async def histories(attacker: Attacker, name: str, **more: Any) -> Answered:
    payload = HISTORIES_MESSAGE.encode(HistoriesRequest(index=name))
    return await attacker.ask(messages.HISTORIES, payload, **more)


async def shard_of(attacker: Attacker, index: str = "logs-1") -> tuple[ShardRef, str]:
    found = HISTORIES_MESSAGE.read_answer((await histories(attacker, index)).body)
    ref = ShardRef(index=index, index_uuid=found.uuid, shard=0)
    return ref, found.shards[0].history_uuid


def as_system(attacker: Attacker) -> dict[str, str]:
    return {
        CREDENTIALS_HEADER: f"ApiKey {attacker.key}",
        SUBJECT_INFO_HEADER: encode_subject_info(SYSTEM, ()),
    }


def claiming(attacker: Attacker, side: Side, key: str | None = None) -> dict[str, str]:
    return {
        CREDENTIALS_HEADER: f"ApiKey {key or attacker.key}",
        SUBJECT_INFO_HEADER: encode_subject_info(ELASTIC, (side,)),
    }


async def test_a_key_for_copying_copies_what_it_is_for(attacker: Attacker) -> None:
    """X-57: whoever it is claimed to be for, and the node itself."""
    ref, history = await shard_of(attacker)
    for headers in (attacker.headers(), as_system(attacker)):
        for action, payload in reads(ref, history).items():
            found = await attacker.ask(action, payload, headers=headers)
            assert (action, found.error) == (action, "")
    found = await attacker.ask(messages.CHANGES, reads(ref, history)[messages.CHANGES])
    assert [each.id for each in decode_changes_answer(found.body).operations] == ["0", "1", "2"]


@pytest.mark.parametrize("name", ["private-1", "missing-1", ".security-7"])
async def test_a_leader_that_is_hidden_is_not_told_from_one_that_is_missing(
    attacker: Attacker, name: str
) -> None:
    """X-57, T-23."""
    found = await histories(attacker, name)
    assert found.status == 403
    assert (
        f"insufficient privileges to follow index [{name}], privilege for action "
        "[indices:monitor/stats] is missing, privilege for action "
        "[indices:data/read/xpack/ccr/shard_changes] is missing" in found.error
    )
    ref = ShardRef(index=name, index_uuid=attacker.uuids.get(name, "x"), shard=0)
    for action, payload in reads(ref).items():
        refused = await attacker.ask(action, payload)
        assert (action, refused.status) == (action, 403)
        assert CANARY not in refused.everything


async def test_what_is_granted_and_missing_is_missing(attacker: Attacker) -> None:
    """R-3."""
    found = await histories(attacker, "logs-none")
    assert (found.status, "no such index [logs-none]" in found.error) == (404, True)


async def test_an_alias_is_described_to_who_may_follow_it(attacker: Attacker) -> None:
    """X-57: so that the follower can say why it cannot be."""
    payload = STATE_MESSAGE.encode(StateRequest(index="logs-all"))
    found = await attacker.ask(messages.STATE, payload, headers=as_system(attacker))
    described = STATE_MESSAGE.read_answer(found.body).index
    assert described is not None
    assert described.kind == "ALIAS"


async def test_ids_of_other_indices_lead_nowhere(attacker: Attacker) -> None:
    """X-54, X-56: by a name that is granted with the id of one that is not, and the other way round."""
    ref, history = await shard_of(attacker)
    foreign = ShardRef(index="logs-1", index_uuid=attacker.uuids["private-1"], shard=0)
    for action, payload in reads(foreign, history).items():
        found = await attacker.ask(action, payload)
        assert (action, found.status) == (action, 404)
        assert "no such index [logs-1]" in found.error
    other = ShardRef(index="private-1", index_uuid=ref.index_uuid, shard=0)
    beyond = ShardRef(index="logs-1", index_uuid=ref.index_uuid, shard=1)
    for wrong, status in ((other, 403), (beyond, 404)):
        for action, payload in reads(wrong, history).items():
            found = await attacker.ask(action, payload)
            assert (action, found.status) == (action, status)
            assert CANARY not in found.everything


async def test_a_copy_is_opened_by_a_lease_of_that_very_shard(attacker: Attacker) -> None:
    """X-56: whatever else it is called."""
    ref, _ = await shard_of(attacker)
    for name in ("../../etc/passwd", "other", "lease\x00"):
        payload = messages.OPEN_COPY_MESSAGE.encode(OpenCopyRequest(shard=ref, lease_id=name))
        found = await attacker.ask(messages.OPEN_COPY, payload)
        assert (found.status, "retention lease with ID" in found.error) == (404, True)


async def test_a_key_for_searching_copies_nothing(attacker: Attacker) -> None:
    """X-58: though searching shows every document."""
    key = (await attacker.pair.key(SEARCHING))["encoded"]
    ref, history = await shard_of(attacker)
    headers = attacker.headers(key=key)
    refused = await histories(attacker, "logs-1", headers=headers)
    assert refused.status == 403
    assert "privilege for action [indices:monitor/stats] is missing" in refused.error
    for action, payload in reads(ref, history).items():
        found = await attacker.ask(action, payload, headers=headers)
        assert (action, found.status) == (action, 403)
    state = STATE_MESSAGE.encode(StateRequest())
    for each in (headers, {**as_system(attacker), CREDENTIALS_HEADER: f"ApiKey {key}"}):
        assert (await attacker.ask(messages.STATE, state, headers=each)).status == 403


async def test_a_key_for_copying_searches_nothing(attacker: Attacker) -> None:
    """X-58."""
    found = await attacker.ask(SEARCH, search("logs-1"))
    assert found.status == 403


async def test_a_key_for_both_copies_no_more_than_it_may(attacker: Attacker) -> None:
    key = (await attacker.pair.key(BOTH))["encoded"]
    headers = attacker.headers(key=key)
    assert (await histories(attacker, "logs-1", headers=headers)).status == 200
    ref = ShardRef(index="private-1", index_uuid=attacker.uuids["private-1"], shard=0)
    for action, payload in reads(ref).items():
        found = await attacker.ask(action, payload, headers=headers)
        assert (action, found.status) == (action, 403)
        assert CANARY not in found.everything


async def test_the_metadata_that_a_follower_sees_is_that_of_its_key(attacker: Attacker) -> None:
    """X-59: asked for by the node itself, or by whoever it is."""
    payload = STATE_MESSAGE.encode(StateRequest())
    for headers in (as_system(attacker), attacker.headers()):
        found = await attacker.ask(messages.STATE, payload, headers=headers)
        cluster = STATE_MESSAGE.read_answer(found.body).cluster
        assert cluster is not None
        assert [each.name for each in cluster.indices] == ["logs-1"]
        for told in (b"private-1", b".security", attacker.uuids["private-1"].encode()):
            assert told not in found.everything
    for name in ("private-1", ".security-7", "missing-1"):
        one = STATE_MESSAGE.encode(StateRequest(index=name))
        found = await attacker.ask(messages.STATE, one, headers=as_system(attacker))
        assert (found.status, f"no such index [{name}]" in found.error) == (404, True)


def side(*entries: IndexPrivileges) -> Side:
    return (RoleDescriptor(name="r", cluster=("cross_cluster_replication",), indices=entries),)


COPIES = ("cross_cluster_replication",)


@pytest.mark.parametrize(
    "limited",
    [
        side(IndexPrivileges(names=("logs*",), privileges=COPIES, query='{"term":{"n":1}}')),
        side(
            IndexPrivileges(
                names=("logs*",),
                privileges=("read", "monitor"),
                query='{"term":{"n":1}}',
            )
        ),
    ],
)
async def test_from_whom_documents_are_hidden_copies_none(
    attacker: Attacker, limited: Side
) -> None:
    """T-19: a follower would hold all of them."""
    headers = claiming(attacker, limited)
    refused = await histories(attacker, "logs-1", headers=headers)
    assert refused.status == 403
    assert "because document or field level security hides a part of it" in refused.error
    ref, history = await shard_of(attacker)
    for action, payload in reads(ref, history).items():
        found = await attacker.ask(action, payload, headers=headers)
        assert (action, found.status) == (action, 403)
    state = STATE_MESSAGE.encode(StateRequest())
    found = await attacker.ask(messages.STATE, state, headers=headers)
    assert STATE_MESSAGE.read_answer(found.body).cluster.indices == ()  # type: ignore[union-attr]


async def test_both_the_key_and_the_user_must_grant_it(attacker: Attacker) -> None:
    """X-53: a user who may read and no more copies nothing, by whatever key."""
    for privileges in (("read",), ("monitor",), ("manage",), ("write",)):
        entry = IndexPrivileges(names=("*",), privileges=privileges)
        headers = claiming(attacker, side(entry))
        assert (await histories(attacker, "logs-1", headers=headers)).status == 403, privileges
    elsewhere = side(IndexPrivileges(names=("other*",), privileges=COPIES))
    assert (
        await histories(attacker, "logs-1", headers=claiming(attacker, elsewhere))
    ).status == 403


async def test_a_key_that_is_narrowed_or_revoked_ends_what_is_under_way(attacker: Attacker) -> None:
    """T-38: with the next request on the open connection."""
    made = await attacker.pair.key(COPYING)
    headers = attacker.headers(key=made["encoded"])
    ref, history = await shard_of(attacker)
    payload = reads(ref, history)[messages.CHANGES]
    assert (await attacker.ask(messages.CHANGES, payload, headers=headers)).status == 200
    path = f"/_security/cross_cluster/api_key/{made['id']}"
    other = {"access": {"replication": [{"names": ["other*"]}]}}
    await attacker.pair.east.make("PUT", path, other)
    narrowed = await attacker.ask(messages.CHANGES, payload, headers=headers)
    assert (narrowed.status, "is unauthorized" in narrowed.error) == (403, True)
    await attacker.pair.east.make("PUT", path, {"access": COPYING})
    assert (await attacker.ask(messages.CHANGES, payload, headers=headers)).status == 200
    await attacker.pair.east.make("DELETE", "/_security/api_key", {"ids": [made["id"]]})
    assert (await attacker.ask(messages.CHANGES, payload, headers=headers)).status == 401
