"""The options of `sealane remote`, apart from what they need when they are used."""

import argparse
from pathlib import Path

DEFAULT_URL = "http://127.0.0.1:9200"
PASSWORD_VARIABLE = "ELASTIC_PASSWORD"
KEY_VARIABLE = "ES_API_KEY"


def add_remote_options(parser: argparse.ArgumentParser) -> None:
    """The options of `sealane remote`."""
    commands = parser.add_subparsers(dest="remote_command", required=True, metavar="command")
    test = commands.add_parser(
        "test",
        help="find out whether a remote cluster can be reached, and why not",
        description="Goes the way of a connection step by step: resolve, tcp, tls, handshake, name, version, nodes. "
        "With HOST:PORT it dials from this machine, with --url or an alias it lets a node dial. "
        "Exit code 0: it would connect, 1: it would not, 2: wrong usage.",
    )
    test.add_argument("target", metavar="HOST:PORT|ALIAS")
    test.add_argument("--proxy", action="store_true", help="test proxy mode instead of sniff mode")
    test.add_argument("--server-name", metavar="NAME", help="the TLS server name of proxy mode")
    test.add_argument("--tls", action="store_true", help="speak TLS; implied by the three below")
    test.add_argument("--ca", type=Path, metavar="FILE", help="authorities to trust (PEM)")
    test.add_argument("--cert", type=Path, metavar="FILE", help="this side's certificate (PEM)")
    test.add_argument("--key", type=Path, metavar="FILE", help="the certificate's key (PEM)")
    test.add_argument("--timeout", default="5s", metavar="TIME", help="for each step, default 5s")
    info = commands.add_parser("info", help="show the remote clusters of a node")
    for each in (test, info):
        each.add_argument("--json", action="store_true", help="print the answer as JSON")
        add_login_options(each)
    test.add_argument("--url", help=f"the node to ask; an alias is asked of {DEFAULT_URL}")
    info.add_argument("--url", default=DEFAULT_URL, help=f"the node to ask, default {DEFAULT_URL}")


def add_login_options(parser: argparse.ArgumentParser) -> None:
    """Who asks the node, and whom it may be: for requests to a node, not for what is dialled from here."""
    parser.add_argument(
        "-u",
        "--user",
        metavar="NAME[:PASSWORD]",
        help=f"who asks the node; without the password it is taken from {PASSWORD_VARIABLE}, else asked for",
    )
    parser.add_argument(
        "--api-key",
        metavar="KEY",
        help=f"the encoded API key that asks the node; {KEY_VARIABLE} in the environment keeps it out of the "
        "list of processes",
    )
    parser.add_argument(
        "--cacert", type=Path, metavar="FILE", help="authorities to trust for an https URL (PEM)"
    )
