"""What a first start with security tells whoever sits in front of it: the password, the certificates, and what to do
next. It goes to stderr, for stdout is the ready line's; a password only where that is a terminal, as in the reference:
files and journals keep what they are given.
"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sealane.model.security import Secret

if TYPE_CHECKING:
    from sealane.node.auto_configuration import AutoConfigured

_RULE = "-" * 100


class FirstStart:
    """Collects what was made, to be told in one piece once the node is ready. `folder` is that of the configuration,
    `to_terminal` whether a person reads along.
    """

    def __init__(self, *, to_terminal: bool) -> None:
        self._to_terminal = to_terminal
        self._configured: AutoConfigured | None = None

    def configured(self, made: "AutoConfigured") -> None:
        """Certificates were made, and named in the settings."""
        self._configured = made

    def tell(
        self, password: Secret | None, *, url: str, folder: Path, ca_file: Path | None
    ) -> None:
        """Says nothing where nothing was made. `ca_file` is what clients trust, where the node has it."""
        lines = [*self._of_password(password, url, folder), *self._of_certificates()]
        if not lines:
            return
        trust = "" if ca_file is None else f"--cacert {_quoted(ca_file)} "
        lines += ["", "Try it:", f"  curl {trust}-u elastic {url}/_security/_authenticate"]
        print("\n".join([_RULE, *lines, _RULE]), file=sys.stderr, flush=True)

    def _of_password(self, password: Secret | None, url: str, folder: Path) -> list[str]:
        if password is None:
            return []
        reset = f"  sealane reset-password -u elastic --url {url} --conf {_quoted(folder)}"
        if not self._to_terminal:
            return [
                "Security is on. The user elastic has a password that nobody knows: none is shown where the output is",
                f"no terminal. Set one, while the node runs:\n{reset}",
            ]
        return [
            "Security is on. The password of the user elastic, which is not shown again:",
            f"  {password.reveal()}",
            f"To set another one, while the node runs:\n{reset}",
        ]

    def _of_certificates(self) -> list[str]:
        made = self._configured
        if made is None:
            return []
        told = [
            f"Certificates were made in {made.certificates}, and their settings added to {made.file}.",
            f"HTTP clients trust {made.ca_file}; its SHA-256 fingerprint:",
            f"  {made.ca_fingerprint}",
            f"A node that joins this one needs a certificate by {made.certificates / 'transport_ca.crt'}:",
            "  docs/several-nodes.md",
        ]
        if made.remote_ca_file is not None:
            told += [
                f"Clusters that come with an API key trust {made.remote_ca_file}:",
                "  docs/remote-clusters-api-key.md",
            ]
        return told


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
