"""Users of `west` who want more of it, or of `east`, than they were given: by names, and by what was once theirs."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.integration.cluster.nodes import Answer, until
from tests.integration.security.pair import PASSWORD, Pair, basic, remote_indices, secured_pair

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL: dict[str, Any] = {"search": [{"names": ["*"]}]}
READ = ["read", "view_index_metadata"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """`east` by a key and `cert` by certificates, and an index with a secret on either side."""
    async with secured_pair(tmp_path_factory.mktemp("names")) as found:
        mapping = {"properties": {"secret": {"type": "keyword"}, "level": {"type": "keyword"}}}
        for node in (found.west, found.east):
            await node.make("PUT", "/hidden-1", {"mappings": mapping})
            for number, level in enumerate(("public", "hidden")):
                body = {"level": level, "secret": f"canary-{number}", "n": number}
                await node.make("PUT", f"/hidden-1/_doc/{number}?refresh=true", body)
            alias = {"index": "hidden-1", "alias": "shown"}
            await node.make("POST", "/_aliases", {"actions": [{"add": alias}]})
        found.west.keep(east=(await found.key(ALL))["encoded"])
        await found.register("east", "proxy", found.east.remote_cluster, skip_unavailable=False)
        await found.register("cert", "proxy", found.east.transport, skip_unavailable=False)
        yield found


async def as_user(pair: Pair, user: str, method: str, target: str, body: Any = None) -> Answer:
    return await pair.west.ask(method, target, body, user=user)


# -- T-15, T-40: names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "alias",
    ["a:b", "a*", "a,b", "-a", "_local", "signing", "eаst", "east\u200b", "ÉAST", "a b", " a", "a" * 300, "a\n"],
)  # fmt: skip
async def test_aliases_that_look_like_something_else(pair: Pair, alias: str) -> None:
    """T-15: refused, and nothing is registered."""
    before = await pair.west.make("GET", "/_remote/info")
    settings = {"cluster": {"remote": {alias: {"seeds": ["127.0.0.1:1"]}}}}
    answer = await pair.west.ask("PUT", "/_cluster/settings", {"persistent": settings})
    assert answer.status == 400, answer.text
    assert (await pair.west.make("GET", "/_remote/info")).keys() == before.keys()


@pytest.mark.parametrize("name", ["Ann", "ann ", " ann", "аnn", "ann\u200b", "ann\t", "ANN"])
async def test_names_of_users_and_roles_are_compared_byte_by_byte(pair: Pair, name: str) -> None:
    """T-40: no case, no blanks, no look-alikes; neither of who logs in nor of which role is had."""
    reads = [{"names": ["hidden-1"], "privileges": READ}]
    await pair.user("ann", indices=reads)
    logged_in = await pair.west.request("GET", "/_security/_authenticate", None, basic(name))
    assert logged_in.status == 401
    put = await pair.west.ask("PUT", "/_security/user/bob", {"password": PASSWORD, "roles": [name]})
    assert put.status in (200, 400)
    found = await as_user(pair, "bob", "GET", "/hidden-1/_search")
    assert found.status in (401, 403)


async def test_a_role_of_many_clusters_is_of_later_ones_too(pair: Pair) -> None:
    """T-17: what `*` means; and what does not say so grants nothing on them."""
    await pair.user("wide", **remote_indices("logs-1", clusters=("*",)))
    await pair.user("narrow", **remote_indices("logs-1", clusters=("east", "/ea.t/")))
    await pair.register("later", "proxy", pair.east.remote_cluster, skip_unavailable=False)
    pair.west.keep(east=(await pair.key(ALL))["encoded"], later=(await pair.key(ALL))["encoded"])
    assert (await pair.search("later:logs-1", user="wide")).status == 200
    assert (await pair.search("later:logs-1", user="narrow")).status == 403
    assert (await pair.search("east:logs-1", user="narrow")).status == 200


# -- T-18, T-20: the same index by another name ------------------------------------------------------------------------

LIMITS: dict[str, Any] = {
    "query": {"term": {"level": "public"}},
    "field_security": {"grant": ["*"], "except": ["secret"]},
}
NAMES = (
    "hidden-1",
    "shown",
    "hidden-*",
    "sho*",
    "*",
    "_all",
    "<hidden-{now/d{'1'}}>",
    "hidden-1,shown",
)


@pytest.mark.parametrize("where", ["", "east:", "cert:"])
@pytest.mark.parametrize("name", NAMES)
async def test_limits_hold_by_whatever_name(pair: Pair, where: str, name: str) -> None:
    """T-18: index, alias, wildcard, date math, and both at once; here and on remotes of either model."""
    role = {
        "names": ["hidden-*", "shown", "hidden-1"],
        "privileges": ["read", "read_cross_cluster"],
        **LIMITS,
    }
    await pair.user("limited", indices=[role], **remote_indices("hidden-*", "shown", **LIMITS))
    await pair.east.make("PUT", "/_security/role/limited", {"indices": [role]})
    names = ",".join(f"{where}{quote(each, safe='')}" for each in name.split(","))
    for more in ("", "&ccs_minimize_roundtrips=false", "&scroll=1m"):
        answer = await as_user(
            pair,
            "limited",
            "POST",
            f"/{names}/_search?ignore_unavailable=true{more}",
            {"aggs": {"s": {"terms": {"field": "secret"}}}, "docvalue_fields": ["secret"]},
        )
        assert answer.status == 200, answer.text
        assert "canary" not in answer.text
        assert 'hidden"' not in answer.text
        assert answer.body["hits"]["total"]["value"] == 1


# -- T-23: what errors tell --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["", "east:", "cert:"])
async def test_what_is_there_and_what_is_not_are_denied_alike(pair: Pair, where: str) -> None:
    """T-23: by name, by wildcard, and by every API that takes a name."""
    await pair.user("stranger", cluster=["monitor"], **remote_indices("logs-1"),
                    indices=[{"names": ["mine"], "privileges": ["all"]}])  # fmt: skip
    await pair.east.make(
        "PUT",
        "/_security/role/stranger",
        {"indices": [{"names": ["logs-1"], "privileges": ["read", "read_cross_cluster"]}]},
    )
    apis = [
        ("GET", "/{}/_search"),
        ("GET", "/{}/_field_caps?fields=*"),
        ("POST", "/{}/_async_search"),
    ]
    if not where:
        apis += [
            ("GET", "/{}/_doc/0"),
            ("GET", "/{}/_mapping"),
            ("GET", "/{}/_settings"),
            ("GET", "/{}"),
            ("HEAD", "/{}"),
            ("GET", "/_cat/indices/{}"),
            ("GET", "/{}/_stats"),
            ("DELETE", "/{}"),
            ("GET", "/_resolve/index/{}"),
            ("GET", "/{}/_explain/0"),
            ("GET", "/{}/_count"),
            ("POST", "/{}/_refresh"),
            ("GET", "/_alias/{}"),
            ("POST", "/{}/_pit?keep_alive=1m"),
        ]
    for method, target in apis:
        body = {"query": {"match_all": {}}} if "_explain" in target else None
        told = []
        for name in ("hidden-1", "missing0"):
            answer = await as_user(pair, "stranger", method, target.format(where + name), body)
            told.append((answer.status, _neutral(answer.text, name)))
        assert told[0] == told[1], target
        assert told[0][0] in (403, 404) or "canary" not in told[0][1], target
        wild = await as_user(pair, "stranger", method, target.format(where + "hid*"), body)
        assert "hidden-1" not in wild.text, target


def _neutral(text: str, name: str) -> str:
    """Without what may differ: the name that was asked for, and times."""
    return re.sub(r"\d+", "0", text.replace(name, "NAME"))


async def test_errors_show_no_insides(pair: Pair) -> None:
    """T-23, T-33: neither files nor traces nor secrets, whatever is asked for."""
    for method, target, body in (
        ("GET", "/hidden-1/_search", {"query": {"nope": {}}}),
        ("GET", "/hidden-1/_search", {"size": -5}),
        ("PUT", "/_security/user/x", {"password": 7}),
        ("PUT", "/_security/role/x", {"indices": [{"names": 1}]}),
        ("POST", "/_security/api_key", {"name": ["x"]}),
        ("POST", "/_search/scroll", {"scroll_id": "AAAA"}),
        ("POST", "/_search", {"pit": {"id": "AAAA"}}),
        ("GET", "/_async_search/AAAA", None),
        ("GET", "/east:hidden-1/_search", {"query": {"term": {"level": {"a": []}}}}),
    ):
        answer = await pair.west.ask(method, target, body)
        assert 400 <= answer.status < 500, (target, answer.text)
        for inside in ("Traceback", ".py", "/tmp/", "site-packages", "sealane.", PASSWORD, "0x7"):
            assert inside not in answer.text, (target, answer.text)


# -- T-19, T-38: copies ------------------------------------------------------------------------------------------------


async def test_no_key_both_copies_and_hides(pair: Pair) -> None:
    """T-19, T-38: made or changed; and what copies is not among the actions that another cluster may ask for yet."""
    copies = {"replication": [{"names": ["hidden-1"]}]}
    for access in (
        {**copies, "search": [{"names": ["*"], "query": {"match_all": {}}}]},
        {**copies, "search": [{"names": ["*"], "field_security": {"grant": ["level"]}}]},
        {"replication": [{"names": ["*"], "query": {"match_all": {}}}]},
        {"replication": [{"names": ["*"], "field_security": {"grant": ["*"]}}]},
    ):
        made = await pair.east.ask(
            "POST", "/_security/cross_cluster/api_key", {"name": "both", "access": access}
        )
        assert made.status == 400
        assert "document or field level security" in made.text
        key = await pair.key(copies)
        changed = await pair.east.ask(
            "PUT", f"/_security/cross_cluster/api_key/{key['id']}", {"access": access}
        )
        assert changed.status == 400
    pair.west.keep(east=key["encoded"])
    assert (await pair.search("east:hidden-1")).status == 403
    pair.west.keep(east=(await pair.key(ALL))["encoded"])


# -- T-35, T-13, T-39: what was once allowed ------------------------------------------------------------------------


async def test_what_is_taken_away_is_gone_with_the_next_request(pair: Pair) -> None:
    """T-35: roles, users and keys, also in the middle of a scroll, a point in time and an asynchronous search."""
    reads = [{"names": ["hidden-1"], "privileges": READ}]
    await pair.user("temp", indices=reads, **remote_indices("hidden-1"))
    both = "/hidden-1,east:hidden-1/_search"
    scroll = await as_user(pair, "temp", "POST", f"{both}?scroll=1m&size=1")
    assert scroll.status == 200
    pit = await as_user(pair, "temp", "POST", "/hidden-1,east:hidden-1/_pit?keep_alive=1m")
    aside = await as_user(
        pair, "temp", "POST", "/hidden-1/_async_search?keep_on_completion=true&keep_alive=1m"
    )
    made = await pair.west.request("POST", "/_security/api_key", {"name": "k"}, basic("elastic"))
    key = {"Authorization": f"ApiKey {made.body['encoded']}"}
    assert (await pair.west.request("GET", "/hidden-1/_search", None, key)).status == 200
    await pair.west.make("PUT", "/_security/role/temp", {"cluster": ["monitor"]})
    goes_on = {"scroll": "1m", "scroll_id": scroll.body["_scroll_id"]}
    again = {"pit": {"id": pit.body["id"]}, "size": 5}
    for method, target, body in (
        ("POST", both, None),
        ("POST", "/_search/scroll", goes_on),
        ("POST", "/_search", again),
        ("GET", "/hidden-1/_doc/0", None),
    ):
        answer = await as_user(pair, "temp", method, target, body)
        assert "canary" not in answer.text, (target, answer.text)
        assert answer.status >= 400, (target, answer.text)
    assert aside.status == 200
    await pair.west.make("DELETE", "/_security/user/temp")
    gone = await as_user(pair, "temp", "GET", "/")
    assert gone.status == 401
    await pair.west.make("DELETE", "/_security/api_key", {"ids": [made.body["id"]]})
    assert (await pair.west.request("GET", "/hidden-1/_search", None, key)).status == 401


async def test_nobody_goes_on_with_what_another_began(pair: Pair) -> None:
    """T-3: a scroll, a point in time, an asynchronous search; of a user with the same rights."""
    reads = [{"names": ["hidden-1"], "privileges": ["read"]}]
    for name in ("first", "second"):
        await pair.user(name, indices=reads, **remote_indices("hidden-1"))
    both = "/hidden-1,east:hidden-1"
    scroll = await as_user(pair, "first", "POST", f"{both}/_search?scroll=1m&size=1")
    pit = await as_user(pair, "first", "POST", f"{both}/_pit?keep_alive=1m")
    aside = await as_user(pair, "first", "POST", f"{both}/_async_search?keep_on_completion=true")
    search_id = aside.body["id"]
    for method, target, body in (
        ("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": scroll.body["_scroll_id"]}),
        ("POST", "/_search", {"pit": {"id": pit.body["id"]}}),
        ("GET", f"/_async_search/{search_id}", None),
        ("DELETE", f"/_async_search/{search_id}", None),
        ("DELETE", "/_search/scroll", {"scroll_id": scroll.body["_scroll_id"]}),
        ("DELETE", "/_pit", {"id": pit.body["id"]}),
    ):
        answer = await as_user(pair, "second", method, target, body)
        assert "canary" not in answer.text, target
    for method, target, body in (
        ("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": scroll.body["_scroll_id"]}),
        ("POST", "/_search", {"pit": {"id": pit.body["id"]}}),
        ("GET", f"/_async_search/{search_id}", None),
    ):
        own = await as_user(pair, "first", method, target, body)
        assert own.status == 200, (target, own.text)
        assert "canary" in own.text


async def test_a_lost_key_does_not_become_a_certificate_unseen(pair: Pair) -> None:
    """T-13: where the settings ask for a key there is no other way; else `_remote/info` says which it is."""
    await pair.register(
        "strict", "proxy", pair.east.transport, skip_unavailable=False, security_model="api_key"
    )
    refused = await pair.search("strict:logs-1")
    assert refused.status >= 400
    assert "[cluster.remote.strict.security_model] is [api_key]" in refused.text
    assert (await pair.search("cert:logs-1")).status == 200
    assert (await pair.info("cert"))["security_model"] == "certificate"


async def test_the_name_of_a_strong_role(pair: Pair) -> None:
    """T-39: with certificates whoever makes users there decides, as `_remote/info` says; with a key it is of no use."""
    role = {"indices": [{"names": ["*"], "privileges": ["read", "read_cross_cluster"]}]}
    await pair.east.make("PUT", "/_security/role/strong", role)
    body = {"password": PASSWORD, "roles": ["strong"]}
    await pair.west.make("PUT", "/_security/user/weak", body)
    assert (await pair.search("cert:hidden-1", user="weak")).status == 200
    refused = await pair.search("east:hidden-1", user="weak")
    assert refused.status == 403
    off = {"persistent": {"transport.remote_cluster.allow_certificate_model": "false"}}
    await pair.east.make("PUT", "/_cluster/settings", off)
    try:
        closed = await pair.search("cert:hidden-1", user="weak")
        assert closed.status == 403
        assert "allow_certificate_model" in closed.text
    finally:
        on = {"persistent": {"transport.remote_cluster.allow_certificate_model": None}}
        await pair.east.make("PUT", "/_cluster/settings", on)
    await until(lambda: _is_found(pair))


async def _is_found(pair: Pair) -> bool:
    return (await pair.search("cert:hidden-1")).status == 200
