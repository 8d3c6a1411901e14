"""`sealane remote` as a user runs it: from this process, and by way of a node."""

import asyncio
import json
from pathlib import Path

import pytest

from sealane.cli.main import main
from tests.integration.remote.asking import asked_node
from tests.integration.remote.clusters import cluster, until
from tests.integration.remote.listeners import closed_port, http, listening
from tests.integration.transport.certificates import Authority

Capture = pytest.CaptureFixture[str]


async def run(*arguments: str) -> int:
    """The program beside the servers that it talks to."""
    return await asyncio.to_thread(main, ["remote", *arguments])


async def test_a_cluster_that_connects(capsys: Capture) -> None:
    async with cluster("a", "b") as nodes:
        assert await run("test", str(nodes[0].info.address)) == 0
    out = capsys.readouterr().out
    steps = [line.split()[3] for line in out.splitlines() if line.startswith("ok  ")]
    assert steps[:6] == ["resolve", "tcp", "handshake", "name", "version", "nodes"]
    assert "ok: connects to cluster [far] (Sealane" in out
    assert "2 of 2 nodes can be gateways" in out


async def test_a_port_that_is_none(capsys: Capture) -> None:
    async with listening(http) as server:
        assert await run("test", server.address) == 1
    out = capsys.readouterr().out
    assert f"failed: [{server_text(out)}] is an HTTP port, not a transport port" in out
    assert "next step: use the transport port of that node, usually 9300" in out


def server_text(out: str) -> str:
    return out.split()[2]


async def test_json(capsys: Capture) -> None:
    address = closed_port()
    assert await run("test", address, "--proxy", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["mode"], report["error"]["cause"]) == ("proxy", "connection_refused")


async def test_tls_by_files(tmp_path: Path, capsys: Capture) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("client.example")
    context = authority.server_context("east.example", ask_client=True)
    async with cluster("a") as (node,):
        address = str(await node.service.listen("127.0.0.1", 0, tls=context))
        arguments = ("test", address, "--proxy", "--server-name", "east.example")
        tls = ("--ca", str(authority.path), "--cert", str(issued.path))
        assert await run(*arguments, *tls) == 0
        assert " tls " in capsys.readouterr().out
        assert await run(*arguments) == 1
        out = capsys.readouterr().out
        assert "TLS is not enabled for this connection" in out
        assert "next step: name its authority with --ca FILE" in out


async def test_by_way_of_a_node(capsys: Capture) -> None:
    """A registered remote, and an address that is not."""
    async with cluster("a") as (node,), asked_node(seeds=(str(node.info.address),)) as near:
        assert await run("test", "far", "--url", near.url) == 0
        assert "ok: [far] connects to cluster [far]" in capsys.readouterr().out
        dead = closed_port()
        assert await run("test", dead, "--url", near.url) == 1
        assert f"failed: nothing listens on [{dead}]" in capsys.readouterr().out
        assert await run("test", "nope", "--url", near.url) == 1
        assert capsys.readouterr().err.endswith("no such remote cluster: [nope]\n")


async def test_the_remotes_of_a_node(capsys: Capture) -> None:
    async with asked_node(seeds=(closed_port(),)) as near:
        await until(lambda: near.remotes.statistics()["far"].rounds > 0)
        assert await run("info", "--url", near.url) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1].split()[:3] == ["far", "sniff", "no"]
    assert "far: nothing listens on [127.0.0.1:" in out


async def test_a_node_that_is_not_there(capsys: Capture) -> None:
    address = closed_port()
    assert await run("info", "--url", f"http://{address}") == 1
    assert f"cannot ask [http://{address}]: Connection refused" in capsys.readouterr().err
