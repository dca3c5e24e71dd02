"""Rule sets of other firewalls for tests of the command line, and commands that are asked about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from fwengine.cli.group import cli

DUMP = """\
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:web - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -j web
-A INPUT -p udp -j web
-A web -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -m comment --comment "web in" -j ACCEPT
-A web -s 10.1.0.0/16 -p tcp -m tcp --dport 80 -j DROP
-A web -p udp -m udp --dport 53 -j ACCEPT
COMMIT
"""
LIST = """\
ip access-list extended EDGE
 permit tcp any host 192.0.2.80 eq 22
 permit udp any any eq 53
"""
SSH = "tcp 198.51.100.7:40000 -> 192.0.2.80:22 in eth0"


def written(folder: Path) -> str:
    """The files `server.rules`, whose name is told, and `edge.cfg`."""
    (folder / "server.rules").write_text(DUMP)
    (folder / "edge.cfg").write_text(LIST)
    return "server.rules"


def run_json(*words: object) -> Any:
    return json.loads(run(*map(str, words)).stdout)


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), standalone_mode=False)


def out(*words: str, code: int | None = None) -> str:
    done = run(*words)
    assert done.exception is None, done.exception
    if code is not None:
        assert done.return_value == code, done.output
    return done.stdout
