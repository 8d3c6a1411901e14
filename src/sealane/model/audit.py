"""What the audit log tells of, by the reference's names."""

from enum import StrEnum
from typing import Final


class Event(StrEnum):
    """What is told; the names that `events.include` and `events.exclude` take."""

    ACCESS_DENIED = "access_denied"
    ACCESS_GRANTED = "access_granted"
    ANONYMOUS_ACCESS_DENIED = "anonymous_access_denied"
    AUTHENTICATION_FAILED = "authentication_failed"
    AUTHENTICATION_SUCCESS = "authentication_success"
    CONNECTION_DENIED = "connection_denied"
    CONNECTION_GRANTED = "connection_granted"
    REALM_AUTHENTICATION_FAILED = "realm_authentication_failed"
    RUN_AS_DENIED = "run_as_denied"
    RUN_AS_GRANTED = "run_as_granted"
    SECURITY_CONFIG_CHANGE = "security_config_change"
    SYSTEM_ACCESS_GRANTED = "system_access_granted"
    TAMPERED_REQUEST = "tampered_request"


USUAL_EVENTS: Final = tuple(
    sorted(
        set(Event)
        - {
            Event.AUTHENTICATION_SUCCESS,
            Event.CONNECTION_GRANTED,
            Event.REALM_AUTHENTICATION_FAILED,
            Event.SYSTEM_ACCESS_GRANTED,
        }
    )
)
"""What is written where nothing else is set, by the reference's defaults."""
