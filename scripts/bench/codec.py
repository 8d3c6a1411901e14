"""How fast frames are written and found again, in memory."""

import time
from collections.abc import Callable

from sealane.wire.decoder import FrameDecoder
from sealane.wire.families.protocol import Envelope
from sealane.wire.families.sealane import SEALANE
from sealane.wire.frame import RESPONSE, encode_head, encode_response_head, plain_request_header
from sealane.wire.versions import SEALANE_VERSION

SMALL, LARGE = 200, 10_000_000
_ACTION = "indices:data/read/search"
_BATCH = 200
_ENVELOPE = Envelope("n" * 22, 1, 30_000, "remote", 1_700_000_000_000)


def rates(seconds: float) -> dict[str, float]:
    """Frames a second of small requests, megabytes a second of large answers; one core."""
    small = small_frame(bytes(SMALL))
    many = small * _BATCH
    body = bytes(LARGE)
    large = encode_response_head(1, RESPONSE, SEALANE_VERSION, LARGE) + body
    decoder = FrameDecoder()

    def encode_small() -> None:
        for _ in range(_BATCH):
            small_frame(bytes(SMALL))

    def decode_small() -> None:
        _expect(len(decoder.receive_data(many)), _BATCH)

    def decode_large() -> None:
        _expect(len(decoder.receive_data(large)), 1)

    return {
        "small_encoded_per_second": _BATCH * _per_second(encode_small, seconds),
        "small_decoded_per_second": _BATCH * _per_second(decode_small, seconds),
        "large_decoded_megabytes_per_second": LARGE / 1e6 * _per_second(decode_large, seconds),
    }


def small_frame(payload: bytes) -> bytes:
    """A request as a connection sends it."""
    parts = SEALANE.request_body(_ENVELOPE, payload)
    variable = plain_request_header(SEALANE_VERSION, _ACTION)
    head = encode_head(1, 0, SEALANE_VERSION, variable, sum(map(len, parts)))
    return b"".join((head, *parts))


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise ValueError(f"the decoder found {found} of {wanted} frames")


def _per_second(call: Callable[[], None], seconds: float) -> float:
    call()
    calls, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        call()
        calls += 1
    return calls / passed
