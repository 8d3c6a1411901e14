"""`sealane remote test` and `sealane remote info`: is a remote cluster reachable, and if not, why.

A test dials from this process, without a node, or asks a node over HTTP to test. What is shown is
made in `remote_show`.
"""

import argparse
import asyncio
import logging
import ssl
import sys
import time
from typing import Any, Final
from urllib.parse import quote

from sealane.cli.asking import Asker, AskError, NotAdmittedError, RefusedError, UsageError
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
_STEPS = 6

Json = dict[str, Any]


def remote(options: argparse.Namespace) -> int:
    """Runs `remote test` or `remote info`. Returns 0 when the remote would connect, 1 when it would
    not or nobody could tell, 2 for wrong usage."""
    shown = Shown(as_json=options.json)
    try:
        if options.remote_command == "info":
            shown.info(_info(Asker.of(options, options.url)))
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
            asker = Asker.of(options, options.url or DEFAULT_URL)
            report = asker.ask("POST", path, wait_s=timeout_s * _STEPS)
        except (NotAdmittedError, RefusedError):
            raise
        except AskError as error:
            hint = "" if options.url else "; an address is HOST:PORT, an alias goes with --url"
            raise AskError(f"[{options.target}] is taken for an alias: {error}{hint}") from None
        shown.steps(report)
    elif options.url is not None:
        _refuse_dial_options(options, "with --url", but=("proxy", "server_name"))
        path = f"/_remote/_test?timeout={quote(options.timeout)}"
        body = _settings(options)
        report = Asker.of(options, options.url).ask("POST", path, body, wait_s=timeout_s * _STEPS)
        shown.steps(report)
    else:
        report = _from_here(_dial(options, timeout_s, shown))
    shown.outcome(report)
    return OK if report["ok"] else FAILED


def _info(asker: Asker) -> Any:
    try:
        return asker.ask("GET", "/_remote/info?verbose=true")
    except RefusedError:
        # Other products know no more than the plain form.
        return asker.ask("GET", "/_remote/info")


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


_OPTIONS: Final = {
    "remote_is_tls": "name its authority with --ca FILE, or say --tls where this machine knows it",
    "unknown_authority": "name its authority with --ca FILE; does the port belong to the cluster that is meant?",
    "client_certificate_missing": "show a certificate that it trusts with --cert FILE and --key FILE",
}
"""What to do about it, by cause, where no node's settings are at hand."""
_NEEDS_A_NODE: Final = frozenset({"key_missing", "not_authenticated"})


def _from_here(report: Json) -> Json:
    """The report of a test without a node, its next step in terms of this command."""
    error = report.get("error")
    if error is None:
        return report
    step = _OPTIONS.get(error["cause"])
    if error["cause"] in _NEEDS_A_NODE:
        step = (
            "the way and the certificates are in order; whether a node is let in, that node can tell: register the "
            "remote there, and ask with [sealane remote test ALIAS --url URL]"
        )
    if step is None:
        return report
    explanation = error["explanation"]
    return {
        **report,
        "summary": f"{explanation}; {step}",
        "error": {**error, "next_step": step},
    }


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
