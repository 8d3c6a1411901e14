"""On whose behalf the running code acts, and by which action: what decides which indices it finds.

It is bound once where a request comes in, by `bound`, and read where names become indices; in between nobody passes it
on. Tasks that a request starts act for it too, as an asynchronous search must. Without security nothing is bound.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Protocol

from sealane.errors import Internal, SecurityError
from sealane.model.security import IndexLimits


class Access(Protocol):
    """The rights of one subject, seen through one action."""

    @property
    def action(self) -> str:
        """What is done: `indices:data/read/search`."""

    @property
    def is_granted(self) -> bool:
        """Whether the action may be done on any name at all."""

    def allows(self, name: str) -> bool:
        """Whether the action may be done on the index, or the alias, of that name. Whether there is one is not
        asked. An action on the cluster that is granted may be done whatever the name.
        """

    def limits(self, names: Sequence[str]) -> IndexLimits | None:
        """What may be seen of an index that was reached by `names`: its own, or those of aliases. None: all of it."""

    def exceeds(self, name: str, other: str) -> bool:
        """Whether more may be done on the index, or the alias, of one name than on that of another, whatever the
        action.
        """

    def denial(self, names: Sequence[str]) -> SecurityError:
        """The error for names on which the action may not be done; without names, for the action as a whole."""

    def acting(self, action: str) -> "Access":
        """The same subject's rights, seen through another action: a part of what it asked for."""


_current: ContextVar[Access | None] = ContextVar("access", default=None)


def current_access() -> Access | None:
    """That of the running request; None where none is bound."""
    return _current.get()


def required_access() -> Access:
    """The same on a node with security. Raises Internal where none is bound: nothing is found then."""
    access = _current.get()
    if access is None:
        raise Internal("nobody was authenticated for what looks for indices here")
    return access


def no_access_needed() -> None:
    """On a node without security nobody is limited."""
    return None


class Bound:
    """A context manager, once. One of `contextlib` costs three times as much, and every request has one."""

    __slots__ = ("_access", "_token")

    def __init__(self, access: Access | None) -> None:
        self._access = access

    def __enter__(self) -> None:
        self._token = _current.set(self._access)

    def __exit__(self, *exc: object) -> None:
        _current.reset(self._token)


def bound(access: Access | None) -> Bound:
    """The code inside acts with `access`."""
    return Bound(access)


def acting(action: str) -> Bound:
    """The code inside does another action, as a part of what was asked for. Nothing is asked here: names are, where
    they become indices.
    """
    access = _current.get()
    return Bound(None if access is None else access.acting(action))


def demand(action: str) -> None:
    """Raises SecurityError unless the running request may do this action on the cluster."""
    access = _current.get()
    if access is None:
        return
    part = access.acting(action)
    if not part.allows("*"):
        raise part.denial(())
