"""How TLS ends: what a peer says before it closes."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from sealane.transport.tls import TlsReceiver
from tests.integration.transport.certificates import Authority


class Link(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Inner(asyncio.BufferedProtocol):
    """What a channel is to the layer. `stays` is what it answers to the end of the data."""

    def __init__(self, *, stays: bool) -> None:
        self.stays = stays
        self.ends = 0

    def get_buffer(self, sizehint: int) -> bytearray:
        return bytearray(64)

    def eof_received(self) -> bool:
        self.ends += 1
        return self.stays


@pytest.mark.parametrize("stays", [False, True])
def test_the_end_of_the_data_reaches_the_receiver(tmp_path: Path, stays: bool) -> None:
    """As that of a plain link does: it bounds how long a peer that has said its last word may take
    to read."""
    authority = Authority(tmp_path)
    link, inner = Link(), Inner(stays=stays)
    layer = TlsReceiver(inner, authority.server_context("a.example"), server_side=True)
    layer.connection_made(link)
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    peer = authority.client_context().wrap_bio(arriving, leaving, server_hostname="a.example")

    def exchange() -> None:
        said = leaving.read()
        layer.get_buffer(-1)[: len(said)] = said
        layer.buffer_updated(len(said))
        arriving.write(bytes(link.written))
        link.written.clear()

    for step in (peer.do_handshake, peer.do_handshake, peer.unwrap):
        try:
            step()
        except ssl.SSLWantReadError:
            pass  # the other end has the next word
        exchange()
    assert inner.ends == 1
    assert link.closed is not stays
