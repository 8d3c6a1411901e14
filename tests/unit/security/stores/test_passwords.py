"""Hashes of passwords: each algorithm, and those a server of 8.19 has made."""

import pytest

from sealane.errors import IllegalArgument
from sealane.security.stores.passwords import (
    KEY_ALGORITHMS,
    PASSWORD_ALGORITHMS,
    check_given_hash,
    hash_algorithm,
    is_fast,
    make_fast_hash,
    make_hash,
    nobodys_hash,
    verify,
)

CHEAP = ["bcrypt4", "pbkdf2_1000", "pbkdf2_stretch_1000", "ssha256"]


@pytest.mark.parametrize("name", CHEAP)
@pytest.mark.parametrize("secret", ["secret-1", "sécret ☃", "", "a\0b", "\ud800"])
def test_a_hash_is_of_its_password_alone(name: str, secret: str) -> None:
    hashed = make_hash(secret, KEY_ALGORITHMS[name])
    assert verify(secret, hashed)
    assert not verify(secret + "x", hashed)
    assert hashed != make_hash(secret, KEY_ALGORITHMS[name])


def test_the_usual_algorithm_is_bcrypt_with_2_to_the_10_rounds() -> None:
    """X-90."""
    assert make_hash("x" * 8, PASSWORD_ALGORITHMS["bcrypt"]).startswith("$2a$10$")


@pytest.mark.parametrize(
    ("hashed", "name"),
    [
        ("$2a$04$yqUHfcv71huT61zLP.s76.0V/GCKmj3Wiyx7fVVL6js/SUWR0Hnzu", "bcrypt4"),
        (
            "{PBKDF2}1000$LZTy7YjGLl/7KFmoPAZpBjnVSUIFqKKBU8ylcN8Eh8A=$"
            "DO3Jk70LSHaDSDGyg0g5krPD2AeMCMwjCjOy7WYalPs=",
            "pbkdf2_1000",
        ),
        (
            "{PBKDF2_STRETCH}1000$LfDJD431NqVWjmdOAFk8kUzhZtItTd54JkdjTkknz5c=$"
            "Xl/rgYtS3l+eAqjvUdkKQBC4quw9yh4BoQDAwtG/Xac=",
            "pbkdf2_stretch_1000",
        ),
    ],
)
def test_hashes_that_a_server_of_8_19_takes_verify(hashed: str, name: str) -> None:
    """X-90: by their beginning, whatever is the algorithm of new ones. A server has let these in by the password."""
    assert hash_algorithm(hashed) == PASSWORD_ALGORITHMS[name]
    check_given_hash(hashed)
    assert verify("changeme-1", hashed)
    assert not verify("changeme-2", hashed)


def test_bcrypt_looks_at_72_bytes() -> None:
    hashed = make_hash("x" * 100, PASSWORD_ALGORITHMS["bcrypt4"])
    assert verify("x" * 72, hashed)
    assert not verify("x" * 71, hashed)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "xyz",
        "$2a$10$abc",
        "$2a$15$" + "a" * 53,
        "$2b$10$" + "a" * 53,
        "$2a$10$" + "é" * 53,
        "{PBKDF2}",
        "{PBKDF2}2000$a$b",
        "{PBKDF2}99999999999$a$b",
        "{PBKDF2_STRETCH}x$a$b",
        "{SSHA256}abc",
    ],
)
def test_what_is_no_hash_is_refused_and_verifies_nothing(wrong: str) -> None:
    """Rounds that nobody supports are refused before they are computed."""
    with pytest.raises(IllegalArgument, match="supported password hash algorithms are"):
        check_given_hash(wrong)
    assert not verify("", wrong)
    assert not verify("secret-1", wrong)


@pytest.mark.parametrize(
    "odd",
    [
        "{SSHA256}\u00e9",
        "{PBKDF2}1000$\u00e9$YQ==",
        "{PBKDF2}1000$abc$def",
        "{PBKDF2}1000$YQ==$",
        "{PBKDF2}1000$YQ==",
        "{SSHA256}!!",
        "{SSHA256}",
    ],
)
def test_a_malformed_hash_is_of_no_password(odd: str) -> None:
    assert not verify("", odd)


@pytest.mark.parametrize("name", CHEAP)
def test_nobodys_hash_takes_the_same_path_and_is_of_no_password(name: str) -> None:
    """X-110: checked as any other of its algorithm."""
    hashed = nobodys_hash(KEY_ALGORITHMS[name])
    real = make_hash("x", KEY_ALGORITHMS[name])
    assert hash_algorithm(hashed) == hash_algorithm(real)
    assert len(hashed) == len(real)
    assert not verify("secret-1", hashed)


def test_only_hashes_of_random_secrets_are_fast() -> None:
    assert is_fast(make_fast_hash("x"))
    assert not is_fast(make_hash("x", PASSWORD_ALGORITHMS["bcrypt4"]))
    assert "ssha256" not in PASSWORD_ALGORITHMS
