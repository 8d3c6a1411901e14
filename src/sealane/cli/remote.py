"""`sealane remote test` and `sealane remote info`: is a remote cluster reachable, and if not, why.

A test dials from this process, without a node, or asks a node over HTTP to test. What is shown is
made in `remote_show`.
"""

import argparse
import asyncio
import json
import logging
import ssl
import sys
import time
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from sealane.cli.remote_options import DEFAULT_URL
from sealane.cli.remote_show import Shown
from sealane.clock import RandomIds, SystemClock
from sealane.errors import ApiError
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import TaskRegistry
from sealane.remote.address import parse_address
from sealane.remote.config import ConfiguredAddress, ProxyConfig, SniffConfig
from sealane.remote.diagnosis import Plan, StepRecord, Target, Tools, diagnose
from sealane.remote.transport.identity import IdentityRequest
from sealane.remote.transport.nodes import NodesRequest
from sealane.settings import parse_time
from sealane.transport import AsyncioNetwork, TransportService

OK, FAILED, USAGE = 0, 1, 2
_TIMEOUT_MAX_S = 60.0
_HTTP_SLACK_S = 10.0
"""What a node gets beyond the time of its test."""
_STEPS = 6

Json = dict[str, Any]


class UsageError(Exception):
    """The options do not make a test. The message says which and why."""


class AskError(Exception):
    """The node could not be asked, or did not answer well."""


class RefusedError(AskError):
    """It says that the request is wrong."""


def remote(options: argparse.Namespace) -> int:
    """Runs `remote test` or `remote info`. Returns 0 when the remote would connect, 1 when it would
    not or nobody could tell, 2 for wrong usage."""
    shown = Shown(as_json=options.json)
    try:
        if options.remote_command == "info":
            shown.info(_info(options.url))
            return OK
        return _test(options, shown)
    except UsageError as error:
        print(f"sealane remote {options.remote_command}: {error}", file=sys.stderr)
        return USAGE
    except AskError as error:
        print(f"sealane remote {options.remote_command}: {error}", file=sys.stderr)
        return FAILED


def _test(options: argparse.Namespace, shown: Shown) -> int:
    timeout_s = _timeout_s(options.timeout)
    if ":" not in options.target:
        _refuse_dial_options(options, "of a registered remote")
        path = f"/_remote/{quote(options.target, safe='')}/_test?timeout={quote(options.timeout)}"
        try:
            report = _ask(options.url or DEFAULT_URL, "POST", path, wait_s=timeout_s * _STEPS)
        except RefusedError:
            raise
        except AskError as error:
            hint = "" if options.url else "; an address is HOST:PORT, an alias goes with --url"
            raise AskError(f"[{options.target}] is taken for an alias: {error}{hint}") from None
        shown.steps(report)
    elif options.url is not None:
        _refuse_dial_options(options, "with --url", but=("proxy", "server_name"))
        path = f"/_remote/_test?timeout={quote(options.timeout)}"
        body = _settings(options)
        report = _ask(options.url, "POST", path, body, wait_s=timeout_s * _STEPS)
        shown.steps(report)
    else:
        report = _dial(options, timeout_s, shown)
    shown.outcome(report)
    return OK if report["ok"] else FAILED


def _info(url: str) -> Any:
    try:
        return _ask(url, "GET", "/_remote/info?verbose=true")
    except RefusedError:
        # Other products know no more than the plain form.
        return _ask(url, "GET", "/_remote/info")


# -- what was asked for ------------------------------------------------------------------------------


def _timeout_s(text: str) -> float:
    try:
        seconds = parse_time(text, "--timeout").seconds
    except ApiError as error:
        raise UsageError(error.reason) from error
    if not 0 < seconds <= _TIMEOUT_MAX_S:
        raise UsageError(f"--timeout must be more than 0 and at most 60s, found {text}")
    return seconds


def _refuse_dial_options(
    options: argparse.Namespace, where: str, but: tuple[str, ...] = ()
) -> None:
    """What only a test from this process can use must not be taken and ignored."""
    for name in ("proxy", "server_name", "tls", "ca", "cert", "key"):
        if getattr(options, name) and name not in but:
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} has no effect {where}: the node's own settings count")


def _reach(options: argparse.Namespace) -> SniffConfig | ProxyConfig:
    try:
        address = ConfiguredAddress(options.target.strip(), parse_address(options.target))
    except ApiError as error:
        raise UsageError(error.reason) from error
    if options.proxy:
        return ProxyConfig(
            address=address, socket_connections=1, server_name=options.server_name or ""
        )
    if options.server_name:
        raise UsageError("--server-name belongs to proxy mode: add --proxy")
    return SniffConfig(seeds=(address,), node_connections=3)


def _settings(options: argparse.Namespace) -> Json:
    """The same as the settings would say it."""
    reach = _reach(options)
    if isinstance(reach, SniffConfig):
        return {"mode": "sniff", "seeds": [options.target]}
    body: Json = {"mode": "proxy", "proxy_address": options.target}
    return body | ({"server_name": reach.server_name} if reach.server_name else {})


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not (options.tls or options.ca or options.cert or options.key):
        return None
    if options.key and not options.cert:
        raise UsageError("--key goes with --cert")
    try:
        context = ssl.create_default_context(cafile=options.ca)
        if options.cert:
            context.load_cert_chain(options.cert, options.key)
    except OSError as error:
        files = ", ".join(str(each) for each in (options.ca, options.cert, options.key) if each)
        hint = ""
        if isinstance(error, ssl.SSLError):
            hint = "; are they PEM files, and is the key that of the certificate?"
            if options.cert and not options.key:
                hint = "; --cert goes with --key, unless its file holds the key too"
        raise UsageError(f"cannot use [{files}]: {error.strerror or error}{hint}") from error
    return context


# -- from this process -------------------------------------------------------------------------------


def _dial(options: argparse.Namespace, timeout_s: float, shown: Shown) -> Json:
    plan = Plan(alias=None, reach=_reach(options), timeout_s=timeout_s)
    tls = _tls(options)
    # What the log would say is in the report, better told.
    logging.getLogger("sealane").addHandler(logging.NullHandler())
    return asyncio.run(_dial_here(plan, tls, shown))


async def _dial_here(plan: Plan, tls: ssl.SSLContext | None, shown: Shown) -> Json:
    identity = ClusterIdentity(name="sealane-remote-test", uuid="")
    own_id = RandomIds().new()
    info = NodeInfo(
        id=own_id, ephemeral_id=own_id, name=identity.name, address=Address("127.0.0.1", 0)
    )
    tasks, clock = TaskRegistry(own_id), SystemClock()
    transport = TransportService(
        local=lambda: (info, identity), network=AsyncioNetwork(), tasks=tasks, clock=clock
    )

    def on_step(target: Target, record: StepRecord) -> None:
        shown.step(str(target.entry.role), target.shown, record.to_json())

    try:
        tools = Tools(
            dialer=transport,
            list_nodes=NodesRequest(tasks, clock),
            identify=IdentityRequest(tasks, clock),
            tls=tls,
            now=time.perf_counter,
        )
        return (await diagnose(plan, tools, on_step)).to_json()
    finally:
        await transport.close()


# -- from a node -------------------------------------------------------------------------------------


def _ask(url: str, method: str, path: str, body: Json | None = None, *, wait_s: float = 0) -> Any:
    """A node's answer. Raises AskError."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url must begin with http:// or https://, found {url}")
    request = Request(
        url.rstrip("/") + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={} if body is None else {"Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=wait_s + _HTTP_SLACK_S) as answer:
            return json.loads(answer.read())
    except HTTPError as error:
        with error:
            kind = RefusedError if error.code == 400 else AskError
            raise kind(_refusal(error.read(), error.code)) from None
    except InvalidURL as error:
        raise UsageError(f"--url cannot be read: {error}") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise AskError(
            f"cannot ask [{url}]: {getattr(reason, 'strerror', None) or reason}"
        ) from None
    except (ValueError, HTTPException) as error:
        raise AskError(f"[{url}] did not answer in JSON: is it a node's HTTP port?") from error


def _refusal(body: bytes, status: int) -> str:
    try:
        error = json.loads(body)["error"]
        return str(error["reason"] if isinstance(error, dict) else error)
    except (ValueError, LookupError, TypeError):
        return f"the answer was status {status}"
