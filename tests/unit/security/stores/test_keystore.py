"""What a keystore file holds, and that nothing but the right password opens it."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealane.errors import KeystoreError
from sealane.model.security import Secret
from sealane.security.stores.keystore import (
    CORRUPT,
    ROUNDS_MAX,
    WRONG_PASSWORD,
    Keystore,
    decode,
    encode,
    read_entries,
    read_head,
)

SALT, NONCE = bytes(range(16)), bytes(range(12))
NONE = Secret("")
FILLED = (
    Keystore()
    .with_text("cluster.remote.eu.credentials", "geheim ü")
    .with_text("empty", "")
    .with_file("file.one", b"\x00\xff" * 9)
)


def written(keystore: Keystore, password: Secret = NONE, rounds: int | None = 7) -> bytes:
    return encode(keystore, password, salt=SALT, nonce=NONCE, rounds=rounds)


@pytest.mark.parametrize("password", ["", "a", "pässwörd \U0001f511"])
def test_what_is_written_is_read(password: str) -> None:
    assert decode(written(FILLED, Secret(password)), Secret(password)) == FILLED


def test_an_entry_has_one_kind() -> None:
    """A text put where a file was replaces it, and the other way round."""
    over = FILLED.with_text("file.one", "x").with_file("empty", b"y")
    assert over.names() == FILLED.names()
    assert (over.bytes_of("file.one"), over.bytes_of("empty")) == (b"x", b"y")
    assert "empty" not in over.without("empty")


@pytest.mark.parametrize("name", ["", "a b", "ä", "a/b", "a\n"])
def test_names(name: str) -> None:
    with pytest.raises(KeystoreError, match="allowed setting name pattern"):
        Keystore().with_text(name, "x")


def test_a_password_costs_rounds_and_none_costs_few() -> None:
    """Without a password nothing can be guessed, and the start is not held up."""
    assert read_head(written(FILLED, Secret("a"), None)).rounds == 210_000
    assert read_head(written(FILLED, NONE, None)).rounds == 1_000
    assert read_head(written(FILLED, Secret("a"))).has_password
    assert not read_head(written(FILLED)).has_password


@pytest.mark.parametrize(("kept", "given"), [("a", "b"), ("a", ""), ("", "a")])
def test_a_wrong_password(kept: str, given: str) -> None:
    with pytest.raises(KeystoreError) as refused:
        decode(written(FILLED, Secret(kept)), Secret(given))
    assert refused.value.reason == WRONG_PASSWORD


def test_every_byte_counts() -> None:
    """A keystore with one byte changed, anywhere, is not opened, and none opens cut off or with more behind it."""
    data = written(FILLED)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        # Bytes 10 and 11 would ask for rounds by the ten thousands.
        if at not in (10, 11):
            with pytest.raises(KeystoreError):
                decode(bytes(changed), NONE)
        with pytest.raises(KeystoreError):
            decode(data[:at], NONE)
    with pytest.raises(KeystoreError):
        decode(data + b"\0", NONE)


def test_more_rounds_than_allowed_are_not_computed() -> None:
    for rounds in (0, ROUNDS_MAX + 1, 2**32 - 1):
        data = bytearray(written(FILLED))
        data[10:14] = rounds.to_bytes(4, "big")
        with pytest.raises(KeystoreError, match="corrupted"):
            decode(bytes(data), NONE)


def test_a_later_format_says_so() -> None:
    data = bytearray(written(FILLED))
    data[8] = 9
    with pytest.raises(KeystoreError, match=r"has the format \[9\], this version reads \[1\]"):
        decode(bytes(data), NONE)


def test_another_file() -> None:
    for data in (b"", b"SEALKEYS", b"\x3f\xd7\x6c\x17elasticsearch.keystore" * 9):
        with pytest.raises(KeystoreError, match="not a keystore of sealane"):
            decode(data, NONE)


def test_a_file_that_is_too_large() -> None:
    with pytest.raises(KeystoreError, match="larger than"):
        decode(b"SEALKEYS" + bytes(10 * 1024 * 1024), NONE)
    with pytest.raises(KeystoreError, match="would be larger than"):
        written(Keystore().with_file("a", bytes(10 * 1024 * 1024)))


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\1",
        b"\xff\xff\xff\xff",
        b"\0\0\0\0x",
        b"\0\0\0\1\0\0\1a\xff\xff\xff\xff",
        b"\0\0\0\1\0\xff\xffa",
        b"\0\0\0\1\2\0\1a\0\0\0\0",
        b"\0\0\0\1\0\0\1\xc3\0\0\0\0",
        b"\0\0\0\1\0\0\1 \0\0\0\0",
        b"\0\0\0\1\0\0\1a\0\0\0\1\xff",
        b"\0\0\0\2\0\0\1a\0\0\0\0\0\0\1a\0\0\0\0",
    ],
)
def test_hostile_entries(plain: bytes) -> None:
    """Lengths beyond the end, unknown kinds, names twice: refused, without taking what they claim."""
    tracemalloc.start()
    try:
        with pytest.raises(KeystoreError) as refused:
            read_entries(plain)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.reason == CORRUPT
    assert peak < 1 << 20


def test_the_error_of_a_value_that_is_no_text_does_not_hold_it() -> None:
    with pytest.raises(KeystoreError) as refused:
        read_entries(b"\0\0\0\1\0\0\1a\0\0\0\5\xffhush")
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_entries_or_a_typed_error(data: bytes) -> None:
    for read in (read_entries, lambda data: decode(data, NONE)):
        try:
            kept = read(data)
        except KeystoreError:
            continue
        assert read_entries_again(kept) == kept


def read_entries_again(keystore: Keystore) -> Keystore:
    return decode(written(keystore), NONE)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.from_regex(r"[A-Za-z0-9_\-.]{1,20}", fullmatch=True), st.text(max_size=50)),
    st.dictionaries(st.from_regex(r"[A-Za-z0-9_\-.]{1,20}", fullmatch=True), st.binary()),
)
def test_any_entries_survive(texts: dict[str, str], files: dict[str, bytes]) -> None:
    keystore = Keystore()
    for name, text in texts.items():
        keystore = keystore.with_text(name, text)
    for name, value in files.items():
        keystore = keystore.with_file(name, value)
    assert decode(written(keystore), NONE) == keystore


def test_values_do_not_show_themselves() -> None:
    """T-33: neither the object nor its parts print a value."""
    shown = repr(FILLED) + str(FILLED) + repr(FILLED.texts)
    assert "geheim" not in shown
    assert "\\xff" not in shown
