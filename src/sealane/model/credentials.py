"""What a caller shows to prove who it is, as it came, before anything of it has been believed."""

from dataclasses import dataclass

from sealane.model.security import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Of one HTTP request. `authorization` is the whole header: scheme, blank, value.

    `run_as` is the header `es-security-runas-user`, `secondary` `es-secondary-authorization`. `certificate` is the
    verified client certificate (DER). `peer` is the caller's IP address, `uri` what it asked for, as errors show it.
    """

    authorization: Secret | None = None
    run_as: str | None = None
    secondary: Secret | None = None
    certificate: bytes | None = None
    peer: str = ""
    uri: str = ""
