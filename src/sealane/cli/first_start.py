"""What a first start with security tells whoever sits in front of it: the password, the certificates, and what to do
next. It goes to stderr: stdout is the ready line's, and logs must not hold passwords.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sealane.model.security import Secret

if TYPE_CHECKING:
    from sealane.node.auto_configuration import AutoConfigured


class FirstStart:
    """Collects what was made, to be told in one piece once the node is ready."""

    def __init__(self) -> None:
        self._configured: AutoConfigured | None = None

    def configured(self, made: "AutoConfigured") -> None:
        """Certificates were made, and named in the settings."""
        self._configured = made

    def tell(self, password: Secret | None, url: str, ca_file: Path | None) -> None:
        """Says nothing where nothing was made. `ca_file` is what clients trust, where the node has it."""
        lines = [*self._of_password(password), *self._of_certificates()]
        if not lines:
            return
        trust = "" if ca_file is None else f" --cacert {ca_file}"
        shown = password.reveal() if password is not None else "PASSWORD"
        lines += ["", "Try it:", f"  curl{trust} -u elastic:{shown} {url}/_security/_authenticate"]
        rule = "-" * 100
        print("\n".join([rule, *lines, rule]), file=sys.stderr, flush=True)

    def _of_password(self, password: Secret | None) -> list[str]:
        if password is None:
            return []
        return [
            "Security is on. The password of the user elastic, which is not shown again:",
            f"  {password.reveal()}",
            "To make another: sealane reset-password -u elastic",
        ]

    def _of_certificates(self) -> list[str]:
        made = self._configured
        if made is None:
            return []
        return [
            f"Certificates were made in {made.certificates}, and their settings added to {made.file}.",
            f"HTTP clients trust {made.ca_file}; its SHA-256 fingerprint:",
            f"  {made.ca_fingerprint}",
            "Other nodes of this cluster, and clusters that reach it by a key, need certificates from there too:",
            "  docs/tls.md and docs/remote-clusters-api-key.md",
        ]
