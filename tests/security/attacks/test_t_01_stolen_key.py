"""Somebody who holds a key, or the whole cluster that it was made for, and asks the port for keys by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from sealane.cluster.relay import encode_relayed, relay_action
from sealane.cluster.task_lists import CHILD_TASKS, encode_parents
from sealane.model.about_indices import FieldCapsRequest, ResolveIndexRequest, TermsEnumRequest
from sealane.model.clusters import ResolveClusterRequest
from sealane.model.node import NodeInfo
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.model.security import IndexPrivileges, RoleDescriptor
from sealane.query import parse_search_body
from sealane.remote.credentials import CREDENTIALS_HEADER, SUBJECT_INFO_HEADER
from sealane.remote.transport.messages import SEARCH, encode_search
from sealane.remote.transport.messages_clusters import RESOLVE_CLUSTER, encode_resolve_cluster
from sealane.remote.transport.messages_indices import (
    FIELD_CAPS,
    RESOLVE_INDEX,
    TERMS_ENUM,
    encode_field_caps,
    encode_resolve_index,
    encode_terms_enum,
)
from sealane.remote.transport.messages_phases import (
    CAN_MATCH,
    FETCH,
    FREE,
    OPEN,
    QUERY,
    SCROLL,
    SHARDS,
    CanMatchRequest,
    FetchRequest,
    FreeRequest,
    OpenRequest,
    Phase,
    QueryRequest,
    ScrollRequest,
    ShardsRequest,
    ShardTarget,
    WantedDoc,
    WantedDocs,
)
from sealane.security.rules.cross_cluster import ALLOWED, is_allowed
from sealane.security.rules.subject_codec import encode_subject_info
from tests.security.attacks.key_port import (
    CANARY,
    ELASTIC,
    EVERYTHING,
    OTHER,
    Attacker,
    attacking,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
OPTIONS = (False, True, True, False, False)
ALL = b'{"query":{"match_all":{}}}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attacker]:
    folder = tmp_path_factory.mktemp("attack")
    logs = str(folder / "logs")
    async with attacking(
        folder, **{"xpack.security.audit.enabled": "true", "path.logs": logs}
    ) as found:
        yield found


def search(*names: str, body: bytes = ALL) -> bytes:
    return encode_search(
        SearchRequest(
            indices=names,
            body=parse_search_body(body),
            options=IndicesOptions(),
            from_=0,
            size=10,
            final_reduce=True,
        )
    )


def questions(*names: str) -> dict[str, bytes]:
    """By action, the request that names indices as expressions."""
    return {
        SEARCH: search(*names),
        SHARDS.action: SHARDS.encode(ShardsRequest(names, OPTIONS, ALL)),
        FIELD_CAPS: encode_field_caps(FieldCapsRequest(indices=names, fields=("*",))),
        RESOLVE_INDEX: encode_resolve_index(ResolveIndexRequest(expressions=names)),
        TERMS_ENUM: encode_terms_enum(TermsEnumRequest(indices=names, field="word.keyword")),
        RESOLVE_CLUSTER: encode_resolve_cluster(
            ResolveClusterRequest(expressions=names, options=IndicesOptions())
        ),
    }


def steps(*targets: ShardTarget) -> dict[str, bytes]:
    """By action, the request that names shards by their ids."""
    contexts = [each.context or "x" for each in targets]
    docs = [WantedDocs(each, [WantedDoc(0)] * 3) for each in targets]
    return {
        CAN_MATCH.action: CAN_MATCH.encode(CanMatchRequest(ALL, list(targets))),
        QUERY.action: QUERY.encode(QueryRequest(ALL, 10, list(targets))),
        FETCH.action: FETCH.encode(FetchRequest(ALL, docs, 1)),
        OPEN.action: OPEN.encode(OpenRequest(list(targets), 60_000)),
        SCROLL.action: SCROLL.encode(ScrollRequest(contexts)),
        FREE.action: FREE.encode(FreeRequest(contexts)),
    }


async def opened(attacker: Attacker, target: ShardTarget, **more: Any) -> list[Any]:
    answer = await attacker.ask(
        OPEN.action, OPEN.encode(OpenRequest([target], 60_000)), headers=attacker.headers(**more)
    )
    assert not answer.error
    return OPEN.read_answer(answer.body).outcomes


# -- T-1, T-21, T-22: claims, and actions ------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("private-1",), (".security",), (".security*", "private-1")])
async def test_claims_get_nobody_more_than_the_key_grants(
    attacker: Attacker, names: tuple[str, ...]
) -> None:
    """T-1, T-21, X-53: whoever it claims to be, with whatever rights, by every action that names indices."""
    for action, payload in questions(*names).items():
        found = await attacker.ask(action, payload)
        assert CANARY not in found.everything, action
        assert found.status == 403 or b"private-1" not in found.body, action


async def test_wildcards_lead_to_what_the_key_grants(attacker: Attacker) -> None:
    """T-1: and what there is beside it shows nowhere, not in numbers either."""
    for names in (("*",), (), ("_all",), ("*", "-logs-*"), ("<logs-{now/d}>*", "*"), ("p*",)):
        for action, payload in questions(*names).items():
            found = await attacker.ask(action, payload)
            for told in (CANARY, b"private-1", attacker.uuids["private-1"].encode()):
                assert told not in found.everything, (names, action)


async def test_a_claim_is_audited_as_a_claim(attacker: Attacker) -> None:
    """T-1: with the key that was used for it."""
    await attacker.ask(SEARCH, search("private-1"))
    [file] = (attacker.pair.keys_authority.path.parent / "logs").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    denied = [line for line in lines if line["event.action"] == "access_denied"][-1]
    assert "cross_cluster_access" in json.dumps(denied)
    assert attacker.key not in file.read_text()


RAW = ("indices:*", "cluster:*", "internal:*", "all", "manage", "write")


async def test_no_action_beside_the_list_whatever_is_claimed(attacker: Attacker) -> None:
    """T-21, T-22, X-60, X-61: every action there is a handler for, and those that nodes of 8.19 ask for, with claims
    of raw privileges and with every request there is; a key for everything changes nothing.
    """
    access = {"search": [{"names": ["*"], "allow_restricted_indices": True}]}
    key = (await attacker.pair.key(access))["encoded"]
    grants = (IndexPrivileges(names=("*",), privileges=RAW, allow_restricted_indices=True),)
    raw = RoleDescriptor(name="raw", cluster=("all", "cluster:*"), indices=grants)
    headers = attacker.headers(key=key)
    headers[SUBJECT_INFO_HEADER] = encode_subject_info(ELASTIC, ((raw,),))
    writes = (
        "indices:data/write/bulk",
        "indices:data/write/bulk[s][p]",
        "indices:admin/delete",
        "indices:admin/create",
        "cluster:admin/settings/update",
        "cluster:admin/xpack/security/user/put",
        "internal:cluster/coordination/publish_state",
        "internal:index/shard/recovery/start_recovery",
    )
    actions = [each for each in (*attacker.handlers, *writes) if not is_allowed(each)]
    assert len(actions) > 15
    for action in [*actions, *(relay_action(each) for each in actions)]:
        for payload in (b"", search("logs-1")):
            found = await attacker.ask(action, payload, headers=headers)
            assert "is not one that other clusters may ask for" in found.error, action
            assert found.status == 403


async def test_allowed_actions_with_requests_of_others(attacker: Attacker) -> None:
    """T-22: each request is read as what its action's is, and nothing else."""
    named = {**questions("private-1"), **steps(target(attacker, "private-1", "private-1"))}
    for action in sorted(ALLOWED):
        for payload in (*named.values(), b"\xc1", b"", b"\xdd\xff\xff\xff\xff", b"\x91" * 5000):
            found = await attacker.ask(action, payload)
            assert CANARY not in found.everything, action
    assert (await attacker.ask(SEARCH, search("logs-1"))).status == 200


# -- T-2: ids --------------------------------------------------------------------------------------------------------


def target(
    attacker: Attacker, index: str, uuid_of: str, reached: tuple[str, ...] = (), **more: Any
) -> ShardTarget:
    uuid = attacker.uuids.get(uuid_of, uuid_of)
    return ShardTarget(index, uuid, more.pop("shard", 0), reached=reached, **more)


async def test_ids_must_belong_to_what_was_declared(attacker: Attacker) -> None:
    """T-2, X-54: of every message that carries ids, with each pair of a declared name and an id that do not belong
    together, and each that do where the key grants nothing.
    """
    names = ("logs-1", "private-1", "logs-*", "*", "_all", "", ".security", "logs-1,private-1")
    forged = [
        target(attacker, index, uuid_of, reached)
        for index in names
        for uuid_of in ("private-1", "AAAAAAAAAAAAAAAAAAAAAA", "_na_", "", "private-1/../logs-1")
        for reached in ((), ("logs-1",), ("*",), ("logs-1", "private-1"))
    ]
    phases: list[Phase[Any, Any]] = [QUERY, FETCH, OPEN, CAN_MATCH]
    for phase in phases:
        for each in forged if phase in (QUERY, FETCH) else forged[::7]:
            found = await attacker.ask(phase.action, steps(each)[phase.action])
            assert CANARY not in found.everything, (phase.action, each)
            if found.error:
                assert found.status == 403
                continue
            [outcome] = phase.read_answer(found.body).outcomes
            assert outcome.error is not None, (phase.action, each)
            assert outcome.error["status"] == 403
            assert "is unauthorized" in outcome.error["reason"]


async def test_one_good_target_does_not_let_another_in(attacker: Attacker) -> None:
    """T-2: each of a list is judged by itself."""
    good = target(attacker, "logs-1", "logs-1")
    bad = target(attacker, "logs-1", "private-1")
    found = await attacker.ask(QUERY.action, steps(good, bad, good)[QUERY.action])
    first, second, third = QUERY.read_answer(found.body).outcomes
    assert first.error is None
    assert third.error is None
    assert second.error["status"] == 403
    fetched = await attacker.ask(FETCH.action, steps(good, bad)[FETCH.action])
    assert CANARY not in fetched.body
    read, refused = FETCH.read_answer(fetched.body).outcomes
    assert all(b"public" in hit.source for hit in read.hits)
    assert len(read.hits) == 3
    assert refused.error["status"] == 403


@pytest.mark.parametrize("shard", [1, -1, 2**31, 2**62])
async def test_shards_that_there_are_not(attacker: Attacker, shard: int) -> None:
    """T-2: an error each, and the node goes on."""
    for action, payload in steps(target(attacker, "logs-1", "logs-1", shard=shard)).items():
        found = await attacker.ask(action, payload)
        assert found.status < 500 or found.error, action
    assert (await attacker.ask(SEARCH, search("logs-1"))).status == 200


async def test_what_is_passed_on_is_judged_where_it_runs(attacker: Attacker) -> None:
    """T-2, T-22: also where the node that it is for is told with an address of the attacker's."""
    base = attacker.pair.east.node._base
    assert base is not None
    own = base.info
    dialled: list[object] = []

    async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dialled.append(await reader.read(1))
        writer.close()

    trap = await asyncio.start_server(called, "127.0.0.1", 0)
    port = trap.sockets[0].getsockname()[1]
    elsewhere: NodeInfo = replace_info(own, port)
    requests = {**questions("private-1"), **steps(target(attacker, "logs-1", "private-1"))}
    for node in (own, elsewhere):
        for action, payload in requests.items():
            found = await attacker.ask(relay_action(action), encode_relayed(node, payload))
            assert CANARY not in found.everything, action
    trap.close()
    assert dialled == []


def replace_info(node: NodeInfo, port: int) -> NodeInfo:
    """A node that is not in the cluster, at a port of this machine."""
    address = msgspec.structs.replace(node.address, host="127.0.0.1", port=port)
    return msgspec.structs.replace(node, id="x", ephemeral_id="x", address=address)


async def test_tasks_of_the_cluster_s_own_users_are_not_told(attacker: Attacker) -> None:
    """T-1: who may see what runs for it names nodes as its own that are not."""
    east = attacker.pair.east
    base = east.node._base
    assert base is not None
    with (
        base.tasks.start("indices:data/read/search", start_ms=1) as parent,
        base.tasks.start("indices:data/read/search[phase/query]", start_ms=1, parent=parent.id),
    ):
        found = await attacker.ask(CHILD_TASKS, encode_parents([east.id]))
    assert found.body == b"[]"


# -- T-3: contexts ---------------------------------------------------------------------------------------------------


async def test_contexts_of_others_are_as_good_as_gone(attacker: Attacker) -> None:
    """T-3, X-55: known or guessed, by another key, by another subject of the same key, or for another index."""
    mine = target(attacker, "logs-1", "logs-1")
    [outcome] = await opened(attacker, mine)
    context = outcome.context
    session, _, number = context.rpartition(":")
    assert len(session) >= 20  # 128 bits
    with_context = msgspec.structs.replace(mine, context=context)
    used = await attacker.ask(QUERY.action, steps(with_context)[QUERY.action])
    [found] = QUERY.read_answer(used.body).outcomes
    assert found.error is None
    other_key = (await attacker.pair.key())["encoded"]
    strangers = {
        "key": attacker.headers(key=other_key),
        "subject": attacker.headers(OTHER),
    }
    for who, headers in strangers.items():
        for action, payload in steps(with_context).items():
            if action == OPEN.action:
                continue
            told = await attacker.ask(action, payload, headers=headers)
            assert b"public" not in told.body, (who, action)
    elsewhere = target(attacker, "private-1", "private-1", context=context)
    for guess in (
        elsewhere,
        msgspec.structs.replace(mine, context=f"{session}:{int(number) + 1}"),
        msgspec.structs.replace(mine, context=f"{session}:{int(number) + 100}"),
        msgspec.structs.replace(mine, context=""),
    ):
        for action, payload in steps(guess).items():
            if action in (OPEN.action, FREE.action):
                continue
            told = await attacker.ask(action, payload)
            assert b"public" not in told.body, (guess, action)
            assert CANARY not in told.everything
    again = await attacker.ask(QUERY.action, steps(with_context)[QUERY.action])
    assert QUERY.read_answer(again.body).outcomes[0].error is None  # nobody has closed it


# -- T-7, T-8, T-12, T-37: headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Basic ZWxhc3RpYzpjaGFuZ2VtZS0x"),
        ("authorization", "Bearer AAAA"),
        ("_xpack_security_authentication", "e30="),
        ("_sealane_cluster", "east"),
        ("es-security-runas-user", "elastic"),
        ("es-secondary-authorization", "Basic ZWxhc3RpYzpjaGFuZ2VtZS0x"),
        ("_CROSS_CLUSTER_ACCESS_CREDENTIALS", "ApiKey x"),
        ("x-opaque-id", "in small letters"),
        ("_system", "true"),
        ("", "nothing"),
        ("X-Opaque-Id\r\nAuthorization", "x"),
    ],
)
async def test_headers_beside_those_that_are_allowed(
    attacker: Attacker, name: str, value: str
) -> None:
    """T-7, T-8, X-27: refused, and nothing is done."""
    found = await attacker.ask(
        SEARCH, search("logs-1"), headers={**attacker.headers(), name: value}
    )
    assert found.status == 400
    assert "is not allowed" in found.error


async def test_other_ways_to_say_who_one_is(attacker: Attacker) -> None:
    """T-8: a password, a token, an ordinary key or nothing in the place of the key."""
    made = await attacker.pair.east.make("POST", "/_security/api_key", {"name": "rest"})
    info = attacker.headers()[SUBJECT_INFO_HEADER]
    for text in (
        "Basic ZWxhc3RpYzpjaGFuZ2VtZS0x",
        "Bearer AAAA",
        f"ApiKey {made['encoded']}",
        attacker.key,
        "ApiKey ",
        "ApiKey !",
        f"ApiKey {attacker.key}\0",
        f"ApiKey {attacker.key[:-4]}",
    ):
        headers = {CREDENTIALS_HEADER: text, SUBJECT_INFO_HEADER: info}
        found = await attacker.ask(SEARCH, search("logs-1"), headers=headers)
        assert found.status == 401, text
        assert attacker.key not in found.error


async def test_nothing_is_heard_in_clear(attacker: Attacker) -> None:
    """T-12, T-37: what was recorded is of use to nobody who is not in the middle of TLS; a node that speaks in clear
    is not answered.
    """
    reader, writer = await asyncio.open_connection(
        *attacker.pair.east.remote_cluster.rsplit(":", 1)
    )
    writer.write(b"ES\x00\x00\x00\x20" + b"\0" * 32)
    assert b"ES" not in await reader.read()
    writer.close()


async def test_nobody_is_somebody_twice(attacker: Attacker) -> None:
    """T-10, T-11: no claim within a claim, and no user of the node itself but one."""
    nested = json.dumps(
        {
            "v": 1,
            "subject": {
                "name": "elastic",
                "type": "cross_cluster_access",
                "realm": {"name": "native1", "type": "native"},
            },
            "sides": [],
        }
    ).encode()
    for raw in (nested, nested.replace(b"cross_cluster_access", b"internal")):
        headers = attacker.headers()
        headers[SUBJECT_INFO_HEADER] = msgspec.json.encode(raw).decode().strip('"')
        found = await attacker.ask(SEARCH, search("logs-1"), headers=headers)
        assert found.status in (400, 403)
    assert EVERYTHING  # what an honest claim has does reach the index that the key is for
    assert (await attacker.ask(SEARCH, search("logs-1"))).status == 200
