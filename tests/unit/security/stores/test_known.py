"""Who is remembered, and for how long."""

from sealane.model.credentials import Credentials
from sealane.model.security import Secret
from sealane.security.stores.known import Known, Owner

ANN, BOB = Owner("native", "ann"), Owner("native", "bob")


def shown(text: str, **more: object) -> Credentials:
    return Credentials(authorization=Secret(text), **more)  # type: ignore[arg-type]


def test_what_was_shown_is_not_kept() -> None:
    known = Known[str](10)
    digest = known.digest(shown("Basic c2VjcmV0"))
    assert digest is not None
    known.put(digest, "ann", 10, (ANN,))
    assert "c2VjcmV0" not in repr(known.__dict__)
    assert Known[str](10).digest(shown("Basic c2VjcmV0")) != digest


def test_every_part_of_what_was_shown_counts() -> None:
    known = Known[str](10)
    parts = [
        shown("a"),
        shown("b"),
        shown("a", run_as="u"),
        shown("a", run_as=""),
        shown("a", certificate=b"u"),
        shown("a", run_as="u", certificate=b"u"),
        Credentials(certificate=b"u"),
    ]
    assert len({known.digest(each) for each in parts}) == len(parts)
    assert known.digest(shown("a", peer="x", uri="y")) == known.digest(shown("a"))
    assert known.digest(Credentials()) is None
    assert known.digest(shown("a", secondary=Secret("b"))) is None


def test_an_entry_goes_when_its_time_is_over() -> None:
    known = Known[str](10)
    known.put(b"1", "ann", 10, (ANN,))
    assert known.get(b"1", 9) == "ann"
    assert known.get(b"1", 10) is None
    assert known.get(b"1", 9) is None


def test_entries_go_with_what_they_were_made_of() -> None:
    known = Known[str](10)
    known.put(b"1", "ann", 10, (ANN,))
    known.put(b"2", "ann as bob", 10, (ANN, BOB))
    known.put(b"3", "bob", 10, (BOB,))
    known.forget(ANN)
    assert [known.get(each, 0) for each in (b"1", b"2", b"3")] == [None, None, "bob"]
    known.forget(BOB)
    assert len(known) == 0
    known.clear()


def test_kinds_are_cleared_apart() -> None:
    known = Known[str](10)
    known.put(b"1", "ann", 10, (ANN,))
    known.put(b"2", "cat", 10, (Owner("file", "cat"),))
    known.clear("file")
    assert (known.get(b"1", 0), known.get(b"2", 0)) == ("ann", None)


def test_the_oldest_goes_first() -> None:
    known = Known[str](2)
    for name in (b"1", b"2", b"1", b"3"):
        known.put(name, name.decode(), 10, (ANN,))
    assert [known.get(each, 0) for each in (b"1", b"2", b"3")] == ["1", None, "3"]
    nothing = Known[str](0)
    nothing.put(b"1", "ann", 10, (ANN,))
    assert len(nothing) == 0
