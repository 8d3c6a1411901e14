"""Keys that demand to know who uses them: requests signed with a certificate, over real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sealane.node.signing import Signing
from tests.integration.security.pair import LOGS, Pair, secured_pair
from tests.integration.transport.certificates import Authority


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with secured_pair(tmp_path) as pair:
        yield pair


def signing_with(pair: Pair, authority: Authority, name: str) -> dict[str, Any]:
    issued = authority.issue(name)
    return {"signing": {"certificate": str(issued.certificate), "key": str(issued.key)}}


async def use(pair: Pair, identity: str | None, **more: Any) -> str:
    """What comes of a search by a new key that demands `identity`."""
    made = await pair.key(LOGS, **({} if identity is None else {"certificate_identity": identity}))
    pair.west.keep(east=made["encoded"])
    await pair.register("east", "proxy", pair.east.remote_cluster, skip_unavailable=False, **more)
    answer = await pair.search("east:logs-1")
    assert answer.status in (200, 401), answer.text
    return "found" if answer.status == 200 else str(answer.body["error"]["reason"])


async def trust(pair: Pair, *authorities: Authority) -> None:
    files = [str(each.path) for each in authorities]
    body = {"persistent": {"cluster.remote.signing.certificate_authorities": files}}
    await pair.east.make("PUT", "/_cluster/settings", body)


async def test_a_key_that_demands_an_identity(pair: Pair, tmp_path: Path) -> None:
    """X-72: the right signer, none, another name, another authority: each with words of its own."""
    authority, other = Authority(tmp_path, "signing ca"), Authority(tmp_path, "other ca")
    await trust(pair, authority)
    right = signing_with(pair, authority, "west-signer")
    assert "but no certificate was provided" in await use(pair, "CN=west-.*")
    assert await use(pair, "CN=west-.*", **right) == "found"
    wrong_name = await use(pair, "CN=north-.*", **right)
    assert "[CN=west-signer] does not match API Key certificate identity pattern" in wrong_name
    assert "does not match" in await use(pair, "CN=west", **right)  # as a whole
    assert "does not match" in await use(pair, "cn=west-.*", **right)  # with its case
    strange = signing_with(pair, other, "west-signer")
    untrusted = await use(pair, "CN=west-.*", **strange)
    wanted = "Failed to verify cross cluster api key signature certificate from [CN=west-signer]"
    assert untrusted == wanted
    # what is shown must be right, also where nothing is demanded.
    assert await use(pair, None, **strange) == wanted
    assert await use(pair, None, **right) == "found"


async def test_changed_files_count_and_broken_ones_do_not(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X-74"""
    authority = Authority(tmp_path, "signing ca")
    await trust(pair, authority)
    one, two = authority.issue("one"), authority.issue("two")
    signing = {"signing": {"certificate": str(one.certificate), "key": str(one.key)}}
    assert await use(pair, "CN=one", **signing) == "found"
    one.certificate.write_bytes(two.certificate.read_bytes())
    one.key.write_bytes(two.key.read_bytes())
    made = _signing_of(pair)
    made.refresh()
    refused = await pair.search("east:logs-1")
    assert refused.status == 401
    assert "[CN=two] does not match" in refused.text
    one.key.write_bytes(b"nothing")
    made.refresh()
    [problem] = made.problems()
    assert "cluster.remote.east.signing" in problem
    assert await use(pair, "CN=two", **signing) == "found"


def _signing_of(pair: Pair) -> Signing:
    base = pair.west.node._base
    assert base is not None
    assert base.remote_security is not None
    links = base.remote_security._links
    assert links is not None
    assert isinstance(links.signer, Signing)
    return links.signer
