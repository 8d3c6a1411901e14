"""T-36: bytes that two servers would read differently are refused, or read in the one way that is harmless."""

import asyncio

import pytest

from tests.security.attacks.http_world import MARKER, http_world, statuses

POST = b"POST /_echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
REFUSED = {
    "length and chunks": POST
    + b"content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nG",
    "chunks and length": POST
    + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n8\r\nSMUGGLED\r\n0\r\n\r\n",
    "two lengths": POST + b"content-length: 3\r\ncontent-length: 5\r\n\r\nabcde",
    "one length twice": POST + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"content-length: 3, 3\r\n\r\nabc",
    "a length with a sign": POST + b"content-length: +3\r\n\r\nabc",
    "a negative length": POST + b"content-length: -3\r\n\r\nabc",
    "a hexadecimal length": POST + b"content-length: 0x3\r\n\r\nabc",
    "a grouped length": POST + b"content-length: 1_0\r\n\r\nabcabcabca",
    "an endless length": POST + b"content-length: 99999999999999999999999\r\n\r\nabc",
    "a space before the colon": POST + b"content-length : 3\r\n\r\nabc",
    "an unknown coding": POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "identity": POST + b"transfer-encoding: identity\r\ncontent-length: 3\r\n\r\nabc",
    "chunked not last": POST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two codings": POST
    + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
    "a vertical tab": POST + b"transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "a coding with a space": POST + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded header": POST + b"x-a: b\r\n c: d\r\ncontent-length: 0\r\n\r\n",
    "a folded coding": POST + b"transfer-encoding:\r\n chunked\r\ncontent-length: 3\r\n\r\nabc",
    "line feeds alone": b"POST /_echo HTTP/1.1\nhost: x\ncontent-length: 3\n\nabc",
    "one line feed alone": POST + b"x: a\ncontent-length: 3\r\n\r\nabc",
    "a carriage return alone": POST + b"x: a\rtransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "line feeds in chunks": CHUNKED + b"3\nabc\n0\n\n",
    "a line feed in an extension": CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "an endless chunk": CHUNKED + b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "a marked chunk": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk with a space": CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
    "a chunk without its end": CHUNKED + b"3\r\nabcX0\r\n\r\n",
    "a length behind the chunks": CHUNKED + b"3\r\nabc\r\n0\r\ncontent-length: 9\r\n\r\n",
    "a NUL in a value": POST + b"x: a\x00b\r\ncontent-length: 0\r\n\r\n",
    "a NUL in a name": POST + b"x\x00y: a\r\ncontent-length: 0\r\n\r\n",
    "no name": POST + b": a\r\ncontent-length: 0\r\n\r\n",
    "tabs in the line": b"POST\t/_echo\tHTTP/1.1\r\nhost: x\r\n\r\n",
    "another version": b"GET /_echo HTTP/1.2\r\nhost: x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a tunnel": b"CONNECT elsewhere:443 HTTP/1.1\r\nhost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a node's frame": b"ES\x00\x00\x00\x33" + bytes(51),
    "a path of bytes": b"GET /_echo\xff HTTP/1.1\r\nhost: x\r\n\r\n",
    "an upgrade with chunks": POST
    + b"connection: upgrade\r\nupgrade: h2c\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused_and_nothing_behind_it_runs(name: str) -> None:
    async with http_world() as world:
        found, _ = await world.exchange(REFUSED[name] + MARKER)
        assert found == [400]
        assert world.ran == []
        assert await world.is_serving()


HARMLESS = {
    "a chunk's extension": (CHUNKED + b'2;a=b\r\n{}\r\n0;x="y"\r\n\r\n', b"{}"),
    "a coding in capitals": (
        POST + b"transfer-encoding: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"{}",
    ),
    "lines before a request": (b"\r\n\r\n" + POST + b"content-length: 2\r\n\r\n{}", b"{}"),
    "a whole address": (b"GET http://elsewhere/_echo HTTP/1.1\r\nhost: x\r\n\r\n", b""),
    "an upgrade": (
        POST + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{}",
        b"{}",
    ),
    "an upgrade of nothing": (
        b"GET /_echo HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        b"",
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("step", [1, 7, 100_000])
async def test_it_is_read_in_the_one_way_that_there_is(name: str, step: int) -> None:
    """However it is cut: one request, with its body, and then the next."""
    data, body = HARMLESS[name]
    async with http_world() as world:
        reader, writer = await world.open()
        stream = data + MARKER
        for start in range(0, len(stream), step):
            writer.write(stream[start : start + step])
            await writer.drain()
        received = b""
        while received.count(b"\r\n\r\n{}") < 2:
            received += await reader.read(65536)
        assert statuses(received) == [200, 200]
        assert [(who, sent) for _, who, sent in world.ran] == [("", body), ("marker", b"")]


async def test_answers_stay_in_the_order_of_requests() -> None:
    """A refusal waits for the answers to what came before it: sent at once, it would be taken for one of them."""
    async with http_world() as world:
        reader, writer = await world.open()
        first = b"GET /_hold HTTP/1.1\r\nhost: x\r\nx-opaque-id: first\r\n\r\n"
        writer.write(first + b"not http at all\r\n\r\n")
        while not world.ran:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.001)
        world.release.set()
        received = await reader.read()
        assert statuses(received) == [200, 400]
        assert b"x-opaque-id: first" in received.partition(b"\r\n\r\n")[0]


async def test_a_broken_body_ends_its_own_request_only() -> None:
    """With another one waiting for its answer the connection ends: there is no telling whose answer a refusal is."""
    async with http_world() as world:
        reader, writer = await world.open()
        writer.write(b"GET /_hold HTTP/1.1\r\nhost: x\r\n\r\n" + CHUNKED + b"zz\r\n")
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        assert await world.is_serving()


async def test_a_thousand_pipelined_requests_are_answered_in_order() -> None:
    """T-36: none of them gets another's answer."""
    async with http_world() as world:
        reader, writer = await world.open()
        for number in range(1000):
            writer.write(b"POST /_echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
            writer.write(b"content-length: 4\r\n\r\n%04d" % (1000 + number))
        received = b""
        while received.count(b"HTTP/1.1 200") < 1000 or not received.endswith(b"1999"):
            received += await reader.read(65536)
        answers = [each[-4:] for each in received.split(b"HTTP/1.1 200 OK")[1:]]
        assert answers == [b"%04d" % (1000 + number) for number in range(1000)]
