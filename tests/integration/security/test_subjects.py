"""Who asks, as another cluster sees it: users, their API keys, those who run as others; and what outlives a request."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster.nodes import Answer, until
from tests.integration.security.pair import Pair, SecuredNode, basic, remote_indices, secured_pair


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with secured_pair(tmp_path) as pair:
        pair.west.keep(east=(await pair.key({"search": [{"names": ["*"]}]}))["encoded"])
        await pair.register("east", "sniff", pair.east.remote_cluster, skip_unavailable=False)
        await pair.register("cert", "sniff", pair.east.transport, skip_unavailable=False)
        yield pair


async def search_as(node: SecuredNode, expression: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await node.request("GET", f"/{expression}/_search", None, named)


async def key_of(pair: Pair, user: str, **descriptors: Any) -> str:
    """An ordinary API key of west, made by that user."""
    body = {"name": "k", "role_descriptors": {"d": descriptors} if descriptors else {}}
    made = await pair.west.request("POST", "/_security/api_key", body, basic(user))
    assert made.status == 200, made.text
    return f"ApiKey {made.body['encoded']}"


READS = {"cluster": ["manage_own_api_key"]}


async def test_an_api_key_asks_with_a_key(pair: Pair) -> None:
    """X-41: its descriptors, its owner's rights when it was made, and the key for the remote: all must allow."""
    await pair.user("ann", **READS, **remote_indices("logs-*"))
    narrow = await key_of(pair, "ann", **remote_indices("logs-1", "private-1"))
    assert (await search_as(pair.west, "east:logs-1", Authorization=narrow)).status == 200
    beyond = await search_as(pair.west, "east:private-1", Authorization=narrow)
    assert beyond.status == 403
    assert "towards remote cluster is unauthorized for API key id [" in beyond.text
    nothing = await key_of(pair, "ann", cluster=["monitor"])
    refused = await search_as(pair.west, "east:logs-1", Authorization=nothing)
    assert refused.status == 403
    assert "towards remote cluster [east] is unauthorized for API key id [" in refused.text
    whole = await key_of(pair, "ann")
    assert (await search_as(pair.west, "east:logs-1", Authorization=whole)).status == 200
    assert (await search_as(pair.west, "east:private-1", Authorization=whole)).status == 403


async def test_an_api_key_asks_by_certificate(pair: Pair) -> None:
    """X-79: its own descriptors decide there, not the roles of the searched cluster; remote_indices do not count."""
    index = {"names": ["private-1"], "privileges": ["read", "read_cross_cluster"]}
    await pair.user("ann", **READS, indices=[{**index, "names": ["*"]}])
    key = await key_of(pair, "ann", indices=[index], **remote_indices("logs-1"))
    assert (await search_as(pair.west, "cert:private-1", Authorization=key)).status == 200
    refused = await search_as(pair.west, "cert:logs-1", Authorization=key)
    assert refused.status == 403
    assert "is unauthorized for API key id [" in refused.text


async def test_who_runs_as_another_asks_as_that_one(pair: Pair) -> None:
    """X-42: the remote rights of the user that one runs as."""
    await pair.user("ann", **remote_indices("logs-1"))
    await pair.user("boss", run_as=["ann"])
    as_ann = basic("boss") | {"es-security-runas-user": "ann"}
    assert (await search_as(pair.west, "east:logs-1", **as_ann)).status == 200
    denied = await search_as(pair.west, "east:private-1", **as_ann)
    assert denied.status == 403
    assert (await pair.search("east:logs-1", user="boss")).status == 403


async def test_running_as_another_by_certificate_needs_the_right_there_too(pair: Pair) -> None:
    """X-80"""
    await pair.user("ann")
    await pair.user("boss", run_as=["ann"])
    reads = {"indices": [{"names": ["logs-1"], "privileges": ["read", "read_cross_cluster"]}]}
    await pair.east.make("PUT", "/_security/role/ann", reads)
    as_ann = basic("boss") | {"es-security-runas-user": "ann"}
    refused = await search_as(pair.west, "cert:logs-1", **as_ann)
    assert refused.status == 403
    assert "is unauthorized to run as [ann]" in refused.text
    await pair.east.make("PUT", "/_security/role/boss", {"run_as": ["ann"]})
    assert (await search_as(pair.west, "cert:logs-1", **as_ann)).status == 200


async def test_a_scroll_belongs_to_the_key_that_began_it(pair: Pair) -> None:
    """X-55, T-3: another key of the same rights does not go on with it."""
    began = await pair.west.make("POST", "/east:logs-1/_search?scroll=1m&size=1")
    going_on = {"scroll": "1m", "scroll_id": began["_scroll_id"]}
    went_on = await pair.west.ask("POST", "/_search/scroll", going_on)
    assert went_on.status == 200
    pair.west.keep(east=(await pair.key({"search": [{"names": ["*"]}]}, name="other"))["encoded"])
    await until(lambda: _connected(pair))
    refused = await pair.west.ask("POST", "/_search/scroll", going_on)
    hits = refused.body.get("hits", {}).get("hits", [])
    assert not [hit for hit in hits if hit["_index"].startswith("east:")]
    assert refused.status >= 400, refused.text


async def _connected(pair: Pair) -> bool:
    return bool((await pair.info("east"))["connected"])


async def test_from_certificates_to_keys_in_place(pair: Pair) -> None:
    """X-83: the same alias goes over, and back; nobody notices but `_remote/info`."""
    made = await pair.key({"search": [{"names": ["*"]}]})
    await pair.register("moved", "proxy", pair.east.transport, skip_unavailable=False)
    assert (await pair.search("moved:logs-1")).status == 200
    assert (await pair.info("moved"))["security_model"] == "certificate"
    await pair.register("moved", "proxy", pair.east.remote_cluster, skip_unavailable=False)
    pair.west.keep(moved=made["encoded"])
    assert (await pair.search("moved:logs-1")).status == 200
    info = await pair.info("moved")
    assert (info["security_model"], info["connected"]) == ("api_key", True)
    await pair.register("moved", "proxy", pair.east.transport, skip_unavailable=False)
    pair.west.keep()
    assert (await pair.search("moved:logs-1")).status == 200
    assert "cluster_credentials" not in await pair.info("moved")


async def test_headers_of_nodes_mean_nothing_over_http(pair: Pair) -> None:
    """X-92, T-6: nobody becomes somebody else by them, here or on a remote."""
    await pair.user("nobody", cluster=["monitor"])
    private = {
        "_xpack_security_authentication": "e30=",
        "_cross_cluster_access_credentials": "ApiKey x",
        "_cross_cluster_access_subject_info": "e30=",
        "_system": "true",
    }
    answer = await pair.west.request(
        "GET", "/_security/_authenticate", None, basic("nobody") | private
    )
    assert answer.body["username"] == "nobody"
    denied = await pair.west.request("GET", "/east:logs-1/_search", None, basic("nobody") | private)
    assert denied.status == 403
    by_certificate = await pair.west.request(
        "GET", "/cert:logs-1/_search", None, basic("elastic") | private
    )
    assert by_certificate.status == 200
