"""A request to a node over HTTP from the command line: as whom, whom it trusts, and what goes wrong in words.

What is asked is the commands' business.
"""

import argparse
import getpass
import json
import os
import ssl
import sys
from base64 import b64encode
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL, RemoteDisconnected
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from sealane.cli.remote_options import KEY_VARIABLE, PASSWORD_VARIABLE
from sealane.model.security import Secret

_HTTP_SLACK_S = 10.0
"""What a node gets beyond the time of what it is asked for."""
_WANTS_A_NAME, _FORBIDS = 401, 403

Json = dict[str, Any]


class UsageError(Exception):
    """The options do not make a request. The message says which and why."""


class AskError(Exception):
    """The node could not be asked, or did not answer well."""


class RefusedError(AskError):
    """It says that the request is wrong."""


class NotAdmittedError(AskError):
    """It does not know who asks, or does not allow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks one node. `authorization` is the whole header."""

    url: str
    authorization: Secret | None = None
    cacert: Path | None = None

    @classmethod
    def of(cls, options: argparse.Namespace, url: str) -> Self:
        """As the options and the environment have it. Raises UsageError."""
        return cls(url=url, authorization=_authorization(options), cacert=options.cacert)

    def ask(self, method: str, path: str, body: Json | None = None, *, wait_s: float = 0) -> Any:
        """The node's answer. Raises AskError, UsageError."""
        url = self.url
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"--url must begin with http:// or https://, found {url}")
        headers = {} if body is None else {"Content-Type": "application/json"}
        if self.authorization is not None:
            headers["Authorization"] = self.authorization.reveal()
        try:
            request = Request(
                url.rstrip("/") + path,
                method=method,
                data=None if body is None else json.dumps(body).encode(),
                headers=headers,
            )
            opener = build_opener(HTTPSHandler(context=self._tls()), _NowhereElse())
            with opener.open(request, timeout=wait_s + _HTTP_SLACK_S) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except InvalidURL as error:
            raise UsageError(f"--url cannot be read: {error}") from error
        except OSError as error:
            raise AskError(f"cannot ask [{url}]: {_said(error)}") from None
        except (ValueError, HTTPException) as error:
            raise AskError(f"[{url}] did not answer in JSON: is it a node's HTTP port?") from error

    def _refusal(self, error: HTTPError) -> AskError:
        text = _reason(error.read(), error.code)
        if error.code == _FORBIDS:
            return NotAdmittedError(f"not allowed: {text}")
        if error.code == _WANTS_A_NAME and self.authorization is None:
            return NotAdmittedError(f"{text}; say who asks with -u NAME:PASSWORD or --api-key KEY")
        if error.code == _WANTS_A_NAME:
            return NotAdmittedError(f"{text}; is the password or key right?")
        return (RefusedError if error.code == 400 else AskError)(text)

    def _tls(self) -> ssl.SSLContext | None:
        if not self.url.startswith("https://"):
            return None
        try:
            return ssl.create_default_context(cafile=self.cacert)
        except OSError as error:
            raise UsageError(f"cannot use [{self.cacert}]: {error.strerror or error}") from error


class _NowhereElse(HTTPRedirectHandler):
    """Follows no redirect: a node sends none, and another host is not to see who asks."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _authorization(options: argparse.Namespace) -> Secret | None:
    if options.user is not None and options.api_key is not None:
        raise UsageError("--user and --api-key are two ways to say who asks: give one of them")
    if options.user is not None:
        name, colon, password = options.user.partition(":")
        if not colon:
            password = os.environ.get(PASSWORD_VARIABLE) or _asked_for(name)
        return Secret("Basic " + b64encode(f"{name}:{password}".encode()).decode("ascii"))
    key = options.api_key or os.environ.get(KEY_VARIABLE)
    if key:
        return Secret(f"ApiKey {key}")
    password = os.environ.get(PASSWORD_VARIABLE)
    if password:
        return Secret("Basic " + b64encode(f"elastic:{password}".encode()).decode("ascii"))
    return None


def _asked_for(name: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            f"the password of [{name}] is wanted: set {PASSWORD_VARIABLE}, or write -u {name}:PASSWORD"
        )
    return getpass.getpass(f"Password of {name}: ")


def _reason(body: bytes, status: int) -> str:
    try:
        error = json.loads(body)["error"]
        return str(error["reason"] if isinstance(error, dict) else error)
    except (ValueError, LookupError, TypeError):
        return f"the answer was status {status}"


def _said(error: OSError) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted, {reason.verify_message}: name its authority with --cacert"
    if isinstance(reason, ssl.SSLError) and reason.reason == "WRONG_VERSION_NUMBER":
        return "it does not speak TLS on that port: is it an http URL?"
    if isinstance(reason, RemoteDisconnected | ConnectionResetError):
        return "it closed the connection without an answer: is it an https URL?"
    return str(getattr(reason, "strerror", None) or reason)
