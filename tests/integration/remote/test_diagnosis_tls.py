"""The connection test where TLS is spoken, or should be: each way it fails is told apart."""

import datetime as dt
import ssl
from pathlib import Path
from typing import Any

import pytest

from sealane.remote.diagnosis import Cause
from tests.integration.remote.diagnosing import (
    cluster,
    failed,
    outcome,
    proxy,
    sniff,
    steps,
    tls_node,
)
from tests.integration.remote.listeners import (
    http,
    listening,
)
from tests.integration.transport.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_tls_that_works(authority: Authority) -> None:
    async with tls_node(authority.server_context("127.0.0.1")) as address:
        report = await outcome(proxy(address), tls=authority.client_context())
    assert report.ok
    (tls,) = (each for each in report.targets[0].steps if each.step == "tls")
    assert tls.ok
    assert tls.detail == "TLSv1.3, certificate for [127.0.0.1] until [2120-01-01T00:00:00Z]"


async def test_the_remote_speaks_tls_and_this_side_does_not(authority: Authority) -> None:
    async with tls_node(authority.server_context("127.0.0.1")) as address:
        cause, sentence = await failed(proxy(address))
    assert cause is Cause.REMOTE_IS_TLS
    assert "TLS is not enabled for this connection" in sentence


async def test_an_https_port(authority: Authority) -> None:
    """Not taken for a transport port with TLS."""
    async with listening(http, authority.server_context("127.0.0.1")) as server:
        cause, sentence = await failed(sniff(server.address))
    assert cause is Cause.HTTPS_PORT
    assert "is an HTTPS port, not a transport port" in sentence


async def test_this_side_speaks_tls_and_the_remote_does_not(authority: Authority) -> None:
    async with cluster("a") as (node,):
        cause, sentence = await failed(
            proxy(str(node.info.address)), tls=authority.client_context()
        )
    assert cause is Cause.REMOTE_IS_PLAIN
    assert "TLS is not enabled on that port" in sentence


async def test_an_authority_that_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    async with tls_node(stranger.server_context("127.0.0.1")) as address:
        report = await outcome(proxy(address), tls=authority.client_context())
    assert report.failure is not None
    assert report.failure.advice.cause is Cause.UNKNOWN_AUTHORITY
    assert steps(report)[-1] == ("tls", False)


async def test_a_certificate_for_another_name(authority: Authority) -> None:
    """The names that it is for are told."""
    async with tls_node(authority.server_context("east.example")) as address:
        cause, sentence = await failed(
            proxy(address, "west.example"), tls=authority.client_context()
        )
    assert cause is Cause.WRONG_SERVER_NAME
    assert "[east.example]" in sentence
    assert "[west.example]" in sentence
    assert "[cluster.remote.far.server_name]" in sentence


@pytest.mark.parametrize(
    ("dates", "cause"),
    [
        ({"start": dt.datetime(2020, 1, 1), "end": dt.datetime(2021, 1, 1)}, "expired"),
        ({"start": dt.datetime(2110, 1, 1), "end": dt.datetime(2111, 1, 1)}, "not_yet_valid"),
    ],
)
async def test_clocks_that_disagree(authority: Authority, dates: Any, cause: str) -> None:
    """The dates of the certificate and the time here are told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("127.0.0.1", **dates).path)
    async with tls_node(context) as address:
        found, sentence = await failed(proxy(address), tls=authority.client_context())
    assert found == f"certificate_{cause}"
    assert f"[{dates['end']:%Y-%m-%d}T00:00:00Z]" in sentence
    assert "the clock here says [" in sentence


async def test_the_remote_wants_a_certificate(authority: Authority) -> None:
    async with tls_node(authority.server_context("127.0.0.1", ask_client=True)) as address:
        cause, sentence = await failed(proxy(address), tls=authority.client_context())
    assert cause is Cause.CLIENT_CERTIFICATE_MISSING
    assert "this node has none to show" in sentence


async def test_an_http_port_where_tls_is_expected(authority: Authority) -> None:
    async with listening(http) as server:
        cause, _ = await failed(proxy(server.address), tls=authority.client_context())
    assert cause is Cause.HTTP_PORT
