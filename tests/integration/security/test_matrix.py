"""Both models of security with both modes of reaching a remote, over real sockets and real TLS; and what is said where
one of them is set up wrongly.
"""

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sealane.model.task import Context
from sealane.transport.dispatcher import Handler
from tests.integration.cluster.nodes import until
from tests.integration.security.pair import Pair, remote_indices, secured_pair

MODES = ("sniff", "proxy")


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with secured_pair(tmp_path) as pair:
        yield pair


async def cause_of(pair: Pair, alias: str) -> tuple[str, str]:
    """What `_remote/info` says is wrong, and what it says to do."""
    last = (await pair.info(alias))["last_error"]
    return last["cause"], last["next_step"]


@pytest.mark.parametrize("mode", MODES)
async def test_by_key(pair: Pair, mode: str) -> None:
    """X-32, X-33, X-34, X-36, X-37, X-69: what both the key and the user allow, and nothing else."""
    pair.west.keep(east=(await pair.key())["encoded"])
    await pair.register("east", mode, pair.east.remote_cluster, skip_unavailable=False)
    for more in ("", "&ccs_minimize_roundtrips=false"):
        found = await pair.search("east:logs-1", more=more)
        assert found.status == 200, found.text
        assert found.body["hits"]["total"]["value"] == 3
        hits = (await pair.search("east:*", more=more)).body["hits"]["hits"]
        assert {hit["_index"] for hit in hits} == {"east:logs-1"}
    info = await pair.info("east")
    assert info["connected"] is True
    assert info["cluster_credentials"] == "::es_redacted::"
    told = (info["security_model"], info["authenticated"], info["authorized"])
    assert told == ("api_key", True, True)
    key_lacks = await pair.search("east:private-1")
    assert key_lacks.status == 403
    assert "towards remote cluster is unauthorized for user [elastic]" in key_lacks.text
    await pair.user("reader", **remote_indices("logs-1"))
    assert (await pair.search("east:logs-1", user="reader")).status == 200
    await pair.user("other", **remote_indices("other-*"))
    user_lacks = await pair.search("east:logs-1", user="other")
    assert user_lacks.status == 403
    assert "towards remote cluster is unauthorized for user [other]" in user_lacks.text
    await pair.user("nobody", cluster=["monitor"])
    asked = _count_requests(pair)
    for skip, status in ((True, 200), (False, 403)):
        await pair.register("east", mode, pair.east.remote_cluster, skip_unavailable=skip)
        denied = await pair.search("east:logs-1", user="nobody")
        assert denied.status == status
        assert "towards remote cluster [east] is unauthorized for user [nobody]" in denied.text
        assert "no remote indices privileges apply for the target cluster" in denied.text
    assert asked == []


def _count_requests(pair: Pair) -> list[str]:
    """The actions that east is asked for from now on, of those that a search needs."""
    base = pair.east.node._base
    assert base is not None
    asked: list[str] = []

    def counted(action: str, handler: Handler) -> Handler:
        async def answer(payload: bytes, ctx: Context) -> bytes:
            asked.append(action)
            return await handler(payload, ctx)

        return answer

    handlers = base.transport._dispatcher.handlers
    for action, handler in list(handlers.items()):
        if action.startswith("indices:"):
            handlers[action] = counted(action, handler)
    return asked


@pytest.mark.parametrize("mode", MODES)
async def test_by_certificate(pair: Pair, mode: str) -> None:
    """X-75, X-76, X-77: the roles of that name on the searched cluster decide."""
    await pair.register("east", mode, pair.east.transport, skip_unavailable=False)
    found = await pair.search("east:private-1")
    assert found.body["hits"]["total"]["value"] == 3
    info = await pair.info("east")
    assert "cluster_credentials" not in info
    assert info["security_model"] == "certificate"
    await pair.user("reader")
    missing = await pair.search("east:logs-1", user="reader")
    assert missing.status == 403
    assert "with effective roles [] (assigned roles [reader] were not found)" in missing.text
    assert "towards remote cluster" not in missing.text
    role = {"indices": [{"names": ["logs-1"], "privileges": ["read", "read_cross_cluster"]}]}
    await pair.east.make("PUT", "/_security/role/reader", role)
    assert (await pair.search("east:logs-1", user="reader")).status == 200
    for more in ("", "&ccs_minimize_roundtrips=false"):
        assert (await pair.search("east:private-1", user="reader", more=more)).status == 403
    await pair.user("Reader")
    assert (await pair.search("east:logs-1", user="Reader")).status == 403


@pytest.mark.parametrize("mode", MODES)
async def test_a_key_sent_to_the_ordinary_port(pair: Pair, mode: str, tmp_path: Path) -> None:
    """X-25, X-66, E11, E13: refused by TLS where the authorities differ, in words where they do not."""
    pair.west.keep(east=(await pair.key())["encoded"])
    await pair.register("east", mode, pair.east.transport, skip_unavailable=False)
    assert (await pair.search("east:logs-1")).status >= 500
    cause, step = await cause_of(pair, "east")
    assert cause == "unknown_authority"
    assert "[xpack.security.remote_cluster_client.ssl.certificate_authorities]" in step
    # The authority file is replaced by one that trusts both.
    both = pair.keys_authority.path.read_bytes() + pair.authority.path.read_bytes()
    pair.keys_authority.path.write_bytes(both)
    base = pair.west.node._base
    assert base is not None
    assert base.tls.remote_client is not None
    base.tls.remote_client.refresh()
    await pair.register("again", mode, pair.east.transport, skip_unavailable=False)
    pair.west.keep(again=(await pair.key())["encoded"])
    refused = await pair.search("again:logs-1")
    # Without a certificate of its own this side is refused by TLS there.
    assert refused.status >= 500
    assert (await cause_of(pair, "again"))[0] == "client_certificate_missing"


@pytest.mark.parametrize("mode", MODES)
async def test_a_certificate_shown_to_the_port_for_keys(pair: Pair, mode: str) -> None:
    """X-71, E1, E2: where its authority is not trusted TLS fails, else it is told to configure credentials."""
    await pair.register("east", mode, pair.east.remote_cluster, skip_unavailable=False)
    assert (await pair.search("east:logs-1")).status >= 500
    assert (await cause_of(pair, "east"))[0] == "unknown_authority"
    pair.authority.path.write_bytes(
        pair.keys_authority.path.read_bytes() + pair.authority.path.read_bytes()
    )
    base = pair.west.node._base
    assert base is not None
    assert base.tls.transport is not None
    base.tls.transport.refresh()
    pair.west.keep(eats=(await pair.key())["encoded"])  # a misspelt alias: X-70, P6
    await pair.register("again", mode, pair.east.remote_cluster, skip_unavailable=False)
    refused = await pair.search("again:logs-1")
    assert refused.status >= 400
    wanted = "require transport header [_cross_cluster_access_credentials] but none found"
    assert wanted in refused.text
    cause, step = await cause_of(pair, "again")
    assert cause == "key_missing"
    assert "there is no remote cluster [eats]; configured are [again, east]" in step
    test = await pair.west.make("POST", "/_remote/again/_test")
    assert (test["error"]["cause"], test["ok"]) == ("key_missing", False)


@pytest.mark.parametrize("mode", MODES)
async def test_any_port_number_serves(pair: Pair, mode: str) -> None:
    """Both kinds of ports were picked by the system: no number means a model."""
    assert not pair.east.remote_cluster.endswith(":9443")
    pair.west.keep(east=(await pair.key())["encoded"])
    await pair.register("east", mode, pair.east.remote_cluster)
    await until(lambda: _connected(pair, "east"))


async def _connected(pair: Pair, alias: str) -> bool:
    return bool((await pair.info(alias))["connected"])


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


async def test_keys_that_are_no_good(pair: Pair) -> None:
    """X-62, X-63, X-68, E3-E8: status and words, with the cause shown where the cluster may be skipped."""
    good = await pair.key()
    expired = await pair.key(expiration="1ms")
    gone = await pair.key()
    await pair.east.make("DELETE", "/_security/api_key", {"ids": [gone["id"]]})
    rest = await pair.east.make("POST", "/_security/api_key", {"name": "rest"})
    keys = {
        "e3": (encoded(f"{'A' * 20}:{'b' * 22}"), "key_unknown", "unable to authenticate user ["),
        "e4": (encoded(f"{good['id']}:{'b' * 22}"), "key_unknown", "invalid credentials for API"),
        "e5": (expired["encoded"], "key_expired", "api key is expired"),
        "e6": (gone["encoded"], "key_invalidated", "has been invalidated"),
        "e7": (rest["encoded"], "key_of_wrong_type", "expected API key type of [cross_cluster]"),
        "e8": (encoded("id:short"), "key_malformed", "invalid cross-cluster API key value"),
    }
    pair.west.keep(**{alias: key for alias, (key, _, _) in keys.items()})
    for alias, (_, cause, fragment) in keys.items():
        await pair.register(alias, "proxy", pair.east.remote_cluster, skip_unavailable=False)
        answer = await pair.search(f"{alias}:logs-1")
        assert (alias, answer.status) == (alias, 401), answer.text
        assert answer.body["error"]["type"] == "security_exception"
        assert fragment in answer.text
        assert (alias, (await cause_of(pair, alias))[0]) == (alias, cause)
        info = await pair.info(alias)
        assert (info["connected"], info["authenticated"]) == (False, False)
        resolved = await pair.west.make("GET", f"/_resolve/cluster/{alias}:logs-1")
        assert resolved[alias]["connected"] is False
        assert resolved[alias]["error"]
        await pair.register(alias, "proxy", pair.east.remote_cluster, skip_unavailable=True)
        skipped = (await pair.search(f"{alias}:logs-1")).body["_clusters"]["details"][alias]
        assert skipped["status"] == "skipped"
        reason = skipped["failures"][0]["reason"]
        assert reason["reason"] == f"Unable to connect to [{alias}]"
        assert reason["caused_by"]["type"] == "security_exception"


async def test_a_key_that_ends_while_it_is_used(pair: Pair) -> None:
    """X-64, X-65: the next request on the connections that are open is refused."""
    made = await pair.key()
    pair.west.keep(east=made["encoded"])
    await pair.register("east", "sniff", pair.east.remote_cluster, skip_unavailable=False)
    assert (await pair.search("east:logs-1")).status == 200
    await pair.east.make("DELETE", "/_security/api_key", {"ids": [made["id"]]})
    refused = await pair.search("east:logs-1")
    assert refused.status == 401
    assert "has been invalidated" in refused.text


async def test_a_key_that_is_changed_while_it_is_used(pair: Pair) -> None:
    """X-47: narrower or wider from the next request on, on the connections that are open."""
    made = await pair.key()
    pair.west.keep(east=made["encoded"])
    await pair.register("east", "sniff", pair.east.remote_cluster, skip_unavailable=False)
    assert (await pair.search("east:private-1")).status == 403
    target = f"/_security/cross_cluster/api_key/{made['id']}"
    for names, allowed, denied in ((["private*"], "private-1", "logs-1"), (["*"], "logs-1", "")):
        await pair.east.make("PUT", target, {"access": {"search": [{"names": names}]}})
        assert (await pair.search(f"east:{allowed}")).status == 200
        if denied:
            assert (await pair.search(f"east:{denied}")).status == 403
    assert (await pair.info("east"))["rounds"] == 1


async def test_the_keystore_is_read_again(pair: Pair) -> None:
    """X-103: a key that is added, changed or taken away makes the connections anew, by the right model."""
    await pair.register("east", "proxy", pair.east.remote_cluster, skip_unavailable=False)
    await pair.search("east:logs-1")
    assert (await pair.info("east"))["connected"] is False
    pair.west.keep(east=(await pair.key())["encoded"])
    assert (await pair.search("east:logs-1")).status == 200
    digest = (await pair.info("east"))["credentials_digest"]
    other = {"search": [{"names": ["private*"]}]}
    pair.west.keep(east=(await pair.key(other))["encoded"])
    assert (await pair.search("east:private-1")).status == 200
    assert (await pair.search("east:logs-1")).status == 403
    assert (await pair.info("east"))["credentials_digest"] != digest
    pair.west.keep()
    assert (await pair.search("east:logs-1")).status == 500
    info = await pair.info("east")
    assert (info["connected"], info["security_model"]) == (False, "certificate")


async def test_the_model_may_be_demanded(pair: Pair) -> None:
    """T-13: without its key an alias fails rather than falling back to certificates."""
    demanded = {"security_model": "api_key", "skip_unavailable": False}
    await pair.register("east", "proxy", pair.east.transport, **demanded)
    refused = await pair.search("east:logs-1")
    assert refused.status == 400
    assert "the keystore holds no [cluster.remote.east.credentials]" in refused.text
    assert (await cause_of(pair, "east"))[0] == "key_not_configured"
    pair.west.keep(west2=(await pair.key())["encoded"])
    by_certificate = {"security_model": "certificate", "skip_unavailable": False}
    await pair.register("west2", "proxy", pair.east.transport, **by_certificate)
    assert (await pair.search("west2:logs-1")).status == 200
    [warning] = (await pair.info("west2"))["warnings"]
    assert "the key is not used" in warning


async def test_other_clusters_may_be_made_to_come_with_a_key(pair: Pair) -> None:
    """2.4: certificates of another cluster are refused then, and keys go on."""
    await pair.register("cert", "proxy", pair.east.transport, skip_unavailable=False)
    assert (await pair.search("cert:logs-1")).status == 200
    setting = {"transport.remote_cluster.allow_certificate_model": False}
    await pair.east.make("PUT", "/_cluster/settings", {"persistent": setting})
    refused = await pair.search("cert:logs-1")
    assert refused.status == 403
    assert "allow_certificate_model] is [false]" in refused.text
    pair.west.keep(east=(await pair.key())["encoded"])
    await pair.register("east", "proxy", pair.east.remote_cluster, skip_unavailable=False)
    assert (await pair.search("east:logs-1")).status == 200


async def test_the_server_shows_itself_in_nodes_info(pair: Pair) -> None:
    """X-22, X-23: only where it is on, and never among the profiles."""
    [east] = (await pair.east.make("GET", "/_nodes"))["nodes"].values()
    assert pair.east.remote_cluster in east["remote_cluster_server"]["bound_address"]
    assert east["remote_cluster_server"]["publish_address"] == pair.east.remote_cluster
    assert east["transport"]["profiles"] == {}
    [west] = (await pair.west.make("GET", "/_nodes"))["nodes"].values()
    assert "remote_cluster_server" not in west
