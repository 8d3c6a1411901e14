"""A node without data in a cluster with security: it knows users and keys by asking, and reaches remotes by itself."""

from pathlib import Path

from tests.integration.cluster.nodes import until
from tests.integration.security.pair import SecuredNode, remote_indices, secured_node, secured_pair


async def test_a_node_without_data_judges_as_the_one_with_it(tmp_path: Path) -> None:
    """X-35, X-103: what it serves itself, what it passes on, and a remote by a key of its own keystore."""
    async with secured_pair(tmp_path) as pair:
        joining = {
            "node.name": "gateway",
            "node.roles": ("remote_cluster_client",),
            "discovery.seed_hosts": (pair.west.transport,),
            "path.data": str(tmp_path / "gateway"),
            "xpack.security.remote_cluster_client.ssl.certificate_authorities": [
                str(pair.keys_authority.path)
            ],
        }
        async with secured_node(tmp_path, "west", pair.authority, joining) as gateway:
            assert (await gateway.request("GET", "/_search")).status == 401
            await gateway.make("PUT", "/mine/_doc/1?refresh=true", {"n": 1})
            mine = [{"names": ["mine"], "privileges": ["read"]}]
            await pair.user("ann", **remote_indices("logs-1", clusters=("ea*",)), indices=mine)
            assert (await gateway.ask("GET", "/mine/_search", user="ann")).status == 200
            assert (await gateway.ask("GET", "/other/_search", user="ann")).status == 403
            gateway.keep(east=(await pair.key({"search": [{"names": ["*"]}]}))["encoded"])
            await pair.register("east", "sniff", pair.east.remote_cluster, skip_unavailable=False)
            await until(lambda: _knows(gateway, "east"))
            for target, status in (("logs-1", 200), ("private-1", 403)):
                found = await gateway.ask("GET", f"/east:{target}/_search", user="ann")
                assert (target, found.status) == (target, status), found.text


async def _knows(gateway: SecuredNode, alias: str) -> bool:
    return alias in await gateway.make("GET", "/_remote/info")
