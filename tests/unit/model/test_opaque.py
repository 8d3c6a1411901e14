"""Ids that only their maker reads: what goes in comes out, and nothing else does."""

import pytest

from sealane.model.opaque import NotAnId, NotBase64, decode_base64, make_id, read_id


@pytest.mark.parametrize("payload", [b"", b"a", b"\x00\xff" * 50])
def test_what_goes_in_comes_out(payload: bytes) -> None:
    text = make_id(3, payload)
    assert read_id(3, text) == payload
    assert read_id(3, text + "==") == payload
    assert text.replace("-", "").replace("_", "").isalnum()


def test_another_kind_is_another_id() -> None:
    with pytest.raises(NotAnId):
        read_id(2, make_id(1, b"x"))


def test_every_changed_character_is_noticed() -> None:
    text = make_id(1, b"some payload")
    for at in range(len(text) - 1):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        with pytest.raises(NotAnId):
            read_id(1, changed)


@pytest.mark.parametrize("text", ["", "abcd", "abcdefgh"])
def test_bytes_that_nobody_made(text: str) -> None:
    with pytest.raises(NotAnId):
        read_id(1, text)


@pytest.mark.parametrize(
    ("text", "reason", "streamed"),
    [
        ("%", "Illegal base64 character 25", "Illegal base64 character 0x25"),
        ("ab+d", "Illegal base64 character 2b", "Illegal base64 character 0x2b"),
        (
            "a",
            "Input byte[] should at least have 2 bytes for base64 bytes",
            "Base64 stream has one un-decoded dangling byte.",
        ),
        (
            "abcde",
            "Last unit does not have enough valid bits",
            "Base64 stream has one un-decoded dangling byte.",
        ),
    ],
)
def test_what_is_no_base64(text: str, reason: str, streamed: str) -> None:
    """With the two texts of the reference, which decodes in two ways."""
    with pytest.raises(NotBase64) as raised:
        decode_base64(text)
    assert (raised.value.reason, raised.value.streamed) == (reason, streamed)
