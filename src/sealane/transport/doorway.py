"""One accepted socket before the gate: what is judged of each frame by its header alone, and what nobody may send
before he has shown a key that is right.

Answers, and the end of the connection, are the channel's.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from sealane.errors import ApiError, CircuitBreaking, Rejected
from sealane.model.security import Subject
from sealane.transport.gate import InboundGate, Peer, Profile
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families.discovery import TCP_HANDSHAKE
from sealane.wire.frame import COMPRESSED, Frame

IN_QUESTION_MAX: Final = 16
"""Requests of one socket that wait for the verdict on their key, before one was right."""
PROVEN_IN_QUESTION_MAX: Final = 1000
"""The same after that: all that were on their way may have to wait when the key has to be looked at anew."""
STATUS_OFFSET: Final = 14
"""Of the status in a frame, for the log."""


class Doorway:
    """`on_proven` is called once, when the first request has come by a key that is right; on other ports nobody
    has to prove anything before a request is judged."""

    def __init__(
        self, gate: InboundGate, profile: Profile, peer: Peer, on_proven: Callable[[], None]
    ) -> None:
        self._gate = gate
        self._profile = profile
        self._peer = peer
        self._on_proven = on_proven
        self._in_question = 0
        self.strict = profile is Profile.REMOTE_CLUSTER
        """Whether a request that does not pass ends the connection."""
        self.proven = not self.strict

    def ends_by(self, error: ApiError) -> bool:
        """Whether the connection ends by the refusal of a request. Who has come by a key that is right stays where
        there is only no room just now to look at it anew.
        """
        return self.strict and not (self.proven and isinstance(error, Rejected | CircuitBreaking))

    def look_at(self, frame: Frame) -> bool:
        """Whether the rest of the frame is to be read; what was found is in its `admission`.

        Raises RemoteProtocolError for what is not even answered.
        """
        action = frame.action
        if action is None or frame.is_response or action == TCP_HANDSHAKE:
            self._check_unproven(frame)
            return True
        try:
            admission = self._gate.admit(self._profile, action, frame.headers, self._peer)
        except ApiError as refused:
            frame.admission = refused
            return not self.strict
        frame.admission = admission
        if isinstance(admission, Subject):
            self._prove()
            return True
        self._check_unproven(frame)
        most = PROVEN_IN_QUESTION_MAX if self.proven else IN_QUESTION_MAX
        if self._in_question >= most:
            frame.admission = Rejected(
                f"rejected [{action}]: [{most}] requests of this connection wait for the verdict on their key"
            )
            return self.proven
        self._in_question += 1
        return True

    async def subject(self, admission: Awaitable[Subject]) -> Subject:
        """On whose behalf a request comes whose `admission` had to be waited for. Raises ApiError."""
        try:
            subject = await admission
        finally:
            self._in_question -= 1
        self._prove()
        return subject

    def drop(self) -> None:
        """A request whose `admission` nobody will wait for."""
        self._in_question -= 1

    def _check_unproven(self, frame: Frame) -> None:
        if self.proven:
            return
        if frame.action is None or frame.is_response:
            raise RemoteProtocolError("a response to a port that asks nothing", STATUS_OFFSET)
        if frame.status & COMPRESSED:
            raise RemoteProtocolError("compressed message before authentication", STATUS_OFFSET)

    def _prove(self) -> None:
        if not self.proven:
            self.proven = True
            self._on_proven()
