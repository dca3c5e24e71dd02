"""Flow logs of every kind: whatever the bytes are, each line is a flow, or told with its number and why it is none.

The invariant: a log gives flows and what it left, or `CaptureError`; every flow has a fate, so that the sums of rules add up to the
flows; what is unread is told with lines that there are; what is read natively is what is read in Python.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

from target import Target, files_of

import fwengine
from fwengine.errors import CaptureError, LimitError
from fwengine.flows.quick import Quick

POLICY = fwengine.loads("allow tcp to any port 0-1023 as low\ndeny udp as no-udp\nallow any from 10.0.0.0/8 as own\n")


def log(data: bytes) -> None:
    """One log."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log"
        file.write_bytes(data)
        quick = _report(file)
        with patch.object(Quick, "takes", lambda *_: False):
            slow = _report(file)
    assert quick == slow, f"natively {quick}, in Python {slow}"


def _report(file: Path) -> object:
    try:
        report = fwengine.evaluate_flows(POLICY, file)
    except CaptureError as error:
        return "refused", error.code, str(error).splitlines() == [str(error)]
    except LimitError as error:
        return "limit", error.limit
    (found,) = report.logs
    sums = found.sums
    assert sums.flows == sum(tally.flows for tally in sums.rows.values()), "flows are lost"
    lines = file.read_bytes().count(b"\n") + file.read_bytes().count(b"\r") + 1
    for one in sums.unread.values():
        assert one.lines > 0, one
        assert 0 < one.line <= lines, one
        assert "\n" not in one.reason, one
    return sums, found.error and (found.error.code, found.error.packets)


TARGETS = (Target(log, files_of("tests/flows/logs/*")),)
