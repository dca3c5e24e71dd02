"""fwengine: know, exactly and with a witness packet, what your firewall policy does.

The public names, each loaded when first used, so that a command pays only for what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__
from .handed import Handed

if TYPE_CHECKING:
    from .analysis.diff import Change as Change
    from .analysis.diff import diff as diff
    from .analysis.finding import Finding as Finding
    from .analysis.prove import Proof as Proof
    from .analysis.prove import Status as Status
    from .analysis.query import Region as Region
    from .conversion import convert as convert
    from .dumping import dumps as dumps
    from .errors import CaptureError as CaptureError
    from .errors import Diagnostic as Diagnostic
    from .errors import FwengineError as FwengineError
    from .errors import LimitError as LimitError
    from .errors import PacketError as PacketError
    from .errors import PolicyError as PolicyError
    from .errors import Span as Span
    from .flows.evaluate import FlowReport as FlowReport
    from .flows.evaluate import evaluate_flows as evaluate_flows
    from .limits import Limits as Limits
    from .model.box import Box as Box
    from .model.fields import Field as Field
    from .model.interval import IntervalSet as IntervalSet
    from .model.rules import ALLOW as ALLOW
    from .model.rules import DENY as DENY
    from .model.rules import DEPENDS as DEPENDS
    from .model.rules import Action as Action
    from .model.rules import Case as Case
    from .model.rules import Claim as Claim
    from .model.rules import Expectation as Expectation
    from .model.rules import Rule as Rule
    from .model.rules import Verdict as Verdict
    from .model.ruleset import decide as decide
    from .model.tree import DecisionTree as DecisionTree
    from .policy import Policy as Policy
    from .policy import load as load
    from .policy import loads as loads
    from .policy import region as region
    from .report.findings import check as check
    from .report.grid import Reach as Reach
    from .report.grid import reach as reach
    from .traffic.codec import Packet as Packet
    from .traffic.count import evaluate_capture as evaluate_capture
    from .traffic.sums import CaptureReport as CaptureReport

_HOME = {
    "Finding": "analysis.finding",
    "Change": "analysis.diff", "diff": "analysis.diff",
    "Proof": "analysis.prove", "Status": "analysis.prove",
    "Region": "analysis.query",
    "convert": "conversion", "dumps": "dumping",
    "CaptureError": "errors", "Diagnostic": "errors", "FwengineError": "errors", "LimitError": "errors",
    "PacketError": "errors", "PolicyError": "errors", "Span": "errors",
    "FlowReport": "flows.evaluate", "evaluate_flows": "flows.evaluate",
    "Limits": "limits",
    "Box": "model.box",
    "Field": "model.fields",
    "IntervalSet": "model.interval",
    "Packet": "traffic.codec",
    "ALLOW": "model.rules", "DENY": "model.rules", "DEPENDS": "model.rules", "Action": "model.rules",
    "Case": "model.rules", "Claim": "model.rules", "Expectation": "model.rules", "Policy": "policy", "Rule": "model.rules",
    "Verdict": "model.rules", "decide": "model.ruleset",
    "DecisionTree": "model.tree",
    "check": "report.findings",
    "Reach": "report.grid", "reach": "report.grid",
    "load": "policy", "loads": "policy", "region": "policy",
    "CaptureReport": "traffic.sums", "evaluate_capture": "traffic.count",
}  # fmt: skip

# what values ask of the layers above them: see `handed`
_HANDED = {
    "sentence": "report.sentences", "row": "report.rows", "html": "report.html",
    "rule": "language.meaning.making",
    "stated": "language.meaning.stated", "unknown_field": "language.meaning.stated", "near": "language.meaning.stated",
}  # fmt: skip

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = _found(_HOME[name], name)
    globals()[name] = value
    return value


def _found(home: str, name: str) -> Any:
    from importlib import import_module

    return getattr(import_module(f".{home}", __name__), name)


Handed.load = lambda name: _found(_HANDED[name], name)


def __dir__() -> list[str]:
    return sorted(__all__)
