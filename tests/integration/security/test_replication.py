"""Following an index over both kinds of security, by both kinds of connection, on nodes with TLS everywhere."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster.nodes import until
from tests.integration.security.pair import Pair, SecuredNode, secured_node, secured_pair

COPYING = {"replication": [{"names": ["logs*"]}]}
FOLLOWING = {
    "cluster": ["manage_ccr"],
    "indices": [
        {"names": ["copy*"], "privileges": ["monitor", "read", "write", "manage_follow_index"]}
    ],
}
OVER_THERE = {
    "remote_indices": [
        {"clusters": ["east"], "names": ["*"], "privileges": ["cross_cluster_replication"]}
    ]
}
POLL = {"read_poll_timeout": "1s"}


async def by_key(pair: Pair, mode: str) -> str:
    """Connects west by a key for copying; returns the id of it."""
    made = await pair.key(COPYING)
    pair.west.keep(east=made["encoded"])
    await pair.register("east", mode, pair.east.remote_cluster, skip_unavailable=False)
    await until(lambda: connected(pair.west))
    return str(made["id"])


async def by_certificate(pair: Pair, mode: str) -> None:
    await pair.register("east", mode, pair.east.transport, skip_unavailable=False)
    await until(lambda: connected(pair.west))


async def connected(node: SecuredNode) -> bool:
    found = await node.make("GET", "/_remote/info")
    return bool(found.get("east", {}).get("connected"))


async def follow(pair: Pair, index: str, leader: str, user: str, **more: Any) -> Any:
    body = {"remote_cluster": "east", "leader_index": leader, **POLL, **more}
    path = f"/{index}/_ccr/follow?wait_for_active_shards=1"
    return await pair.west.ask("PUT", path, body, user=user)


async def count(node: SecuredNode, index: str) -> int:
    await node.ask("POST", f"/{index}/_refresh")
    found = await node.ask("GET", f"/{index}/_count")
    return int(found.body.get("count", -1)) if found.status == 200 else -1


async def has(node: SecuredNode, index: str, number: int) -> bool:
    return await count(node, index) == number


async def shard_stats(pair: Pair, index: str = "copy") -> dict[str, Any]:
    found = await pair.west.make("GET", f"/{index}/_ccr/stats")
    shard: dict[str, Any] = found["indices"][0]["shards"][0]
    return shard


async def ann_follows(pair: Pair, *, certificate: bool) -> None:
    """A user with no more rights than are needed: docs of the reference, and ours."""
    here = FOLLOWING if certificate else {**FOLLOWING, **OVER_THERE}
    await pair.user("ann", **here)
    if certificate:
        there = {
            "cluster": ["read_ccr"],
            "indices": [{"names": ["logs*"], "privileges": ["monitor", "read"]}],
        }
        await pair.east.make("PUT", "/_security/role/ann", there)


@pytest.mark.parametrize("mode", ["sniff", "proxy"])
@pytest.mark.parametrize("certificate", [False, True], ids=["key", "certificate"])
async def test_an_index_is_followed(tmp_path: Path, certificate: bool, mode: str) -> None:
    """X-57, R-43, R-44: copied, then kept up, and not one that may not be, on whatever way."""
    async with secured_pair(tmp_path) as pair:
        await (by_certificate if certificate else by_key)(pair, mode)
        await ann_follows(pair, certificate=certificate)
        followed = await follow(pair, "copy", "logs-1", "ann")
        assert followed.status == 200, followed.text
        assert followed.body == {
            "follow_index_created": True,
            "follow_index_shards_acked": True,
            "index_following_started": True,
        }
        await pair.east.make("PUT", "/logs-1/_doc/more", {"n": 9})
        await until(lambda: has(pair.west, "copy", 4))
        for leader, status in (("private-1", 403), ("missing", 403), ("logs-none", 404)):
            refused = await follow(pair, "copy-2", leader, "ann")
            assert (leader, refused.status) == (leader, status), refused.text
            if status == 403:
                reason = refused.body["error"]["reason"]
                assert f"insufficient privileges to follow index [{leader}]" in reason
        assert (await pair.west.ask("GET", "/copy-2")).status == 404


async def test_a_follower_is_put_into_no_stream_that_is_not_allowed(tmp_path: Path) -> None:
    """R-43, R-78: whoever reads a stream sees nothing in it that only the asker chose to put there."""
    async with secured_pair(tmp_path) as pair:
        await by_key(pair, "proxy")
        await ann_follows(pair, certificate=False)
        refused = await follow(pair, "copy", "logs-1", "ann", data_stream_name="others")
        assert refused.status == 403, refused.text
        assert "on indices [others]" in refused.body["error"]["reason"]
        assert (await pair.west.ask("GET", "/copy")).status == 404
        allowed = await follow(pair, "copy", "logs-1", "ann", data_stream_name="copy-stream")
        assert allowed.status == 200, allowed.text
        found = await pair.west.make("GET", "/_data_stream/copy-stream")
        (backing,) = found["data_streams"][0]["indices"]
        assert backing["index_name"] == "copy"


async def test_from_whom_documents_are_hidden_follows_nothing(tmp_path: Path) -> None:
    """T-19: by certificate, where the leader's roles decide."""
    async with secured_pair(tmp_path) as pair:
        await by_certificate(pair, "sniff")
        await pair.user("ann", **FOLLOWING)
        entry = {"names": ["logs*"], "privileges": ["monitor", "read"], "query": {"term": {"n": 1}}}
        await pair.east.make(
            "PUT", "/_security/role/ann", {"cluster": ["read_ccr"], "indices": [entry]}
        )
        refused = await follow(pair, "copy", "logs-1", "ann")
        assert refused.status == 403
        assert "document or field level security hides" in refused.body["error"]["reason"]
        assert (await pair.west.ask("GET", "/copy")).status == 404


async def test_what_is_taken_away_stops_a_follower_until_it_is_given_back(tmp_path: Path) -> None:
    """T-38, R-61: shown with its cause within a poll, tried on, and nothing of it is lost."""
    async with secured_pair(tmp_path) as pair:
        key = await by_key(pair, "proxy")
        await ann_follows(pair, certificate=False)
        assert (await follow(pair, "copy", "logs-1", "ann")).status == 200
        path = f"/_security/cross_cluster/api_key/{key}"
        await pair.east.make("PUT", path, {"access": {"replication": [{"names": ["other*"]}]}})
        await pair.east.make("PUT", "/logs-1/_doc/more", {"n": 9})

        async def refused() -> bool:
            shown = (await shard_stats(pair))["read_exceptions"]
            return any(each["exception"]["type"] == "security_exception" for each in shown)

        await until(refused)
        assert not await has(pair.west, "copy", 4)
        assert "fatal_exception" not in await shard_stats(pair)
        await pair.east.make("PUT", path, {"access": COPYING})
        await until(lambda: has(pair.west, "copy", 4))


async def test_a_gateway_passes_on_what_a_follower_asks(tmp_path: Path) -> None:
    """X-57: through a node without data in front of the leader, by certificate."""
    async with secured_pair(tmp_path) as pair:
        joining = {
            "node.name": "gateway",
            "node.roles": ("remote_cluster_client",),
            "discovery.seed_hosts": (pair.east.transport,),
            "path.data": str(tmp_path / "gateway"),
        }
        async with secured_node(tmp_path, "east", pair.authority, joining) as gateway:
            await pair.register("east", "proxy", gateway.transport, skip_unavailable=False)
            await until(lambda: connected(pair.west))
            await ann_follows(pair, certificate=True)
            assert (await follow(pair, "copy", "logs-1", "ann")).status == 200
            await pair.east.make("PUT", "/logs-1/_doc/more", {"n": 9})
            await until(lambda: has(pair.west, "copy", 4))
            refused = await follow(pair, "copy-2", "private-1", "ann")
            assert refused.status == 403
