"""fwengine: know, exactly and with a witness packet, what your firewall policy does.

The public names, each loaded when first used, so that a command pays only for what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .analysis.anomalies import Finding as Finding
    from .analysis.diff import Change as Change
    from .analysis.diff import diff as diff
    from .analysis.query import Proof as Proof
    from .analysis.query import Region as Region
    from .box import Box as Box
    from .errors import CaptureError as CaptureError
    from .errors import Diagnostic as Diagnostic
    from .errors import FwengineError as FwengineError
    from .errors import LimitError as LimitError
    from .errors import PacketError as PacketError
    from .errors import PolicyError as PolicyError
    from .errors import Span as Span
    from .header import Field as Field
    from .header import Packet as Packet
    from .interval import IntervalSet as IntervalSet
    from .loading import load as load
    from .loading import loads as loads
    from .loading import region as region
    from .policy import ALLOW as ALLOW
    from .policy import DENY as DENY
    from .policy import DEPENDS as DEPENDS
    from .policy import Action as Action
    from .policy import Case as Case
    from .policy import Expectation as Expectation
    from .policy import Policy as Policy
    from .policy import Rule as Rule
    from .policy import Verdict as Verdict
    from .policy import decide as decide
    from .report.findings import check as check
    from .tally import CaptureReport as CaptureReport
    from .tally import evaluate_capture as evaluate_capture
    from .tree import DecisionTree as DecisionTree

_HOME = {
    "Finding": "analysis.anomalies", "Change": "analysis.diff", "diff": "analysis.diff",
    "Proof": "analysis.query", "Region": "analysis.query", "check": "report.findings",
    "Box": "box",
    "CaptureError": "errors", "Diagnostic": "errors", "FwengineError": "errors", "LimitError": "errors",
    "PacketError": "errors", "PolicyError": "errors", "Span": "errors",
    "Field": "header", "Packet": "header",
    "IntervalSet": "interval",
    "load": "loading", "loads": "loading", "region": "loading",
    "ALLOW": "policy", "DENY": "policy", "DEPENDS": "policy", "Action": "policy", "Case": "policy",
    "Expectation": "policy", "Policy": "policy", "Rule": "policy", "Verdict": "policy", "decide": "policy",
    "CaptureReport": "tally", "evaluate_capture": "tally",
    "DecisionTree": "tree",
}  # fmt: skip

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
