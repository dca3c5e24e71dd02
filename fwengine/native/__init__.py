"""The optional native batch classifier: same meaning as `model.ruleset.decide`, much faster.

Where the native module is absent (no compiler at install time, another machine) `Classifier` answers through the
decision tree instead. Knows policies, columns of numbers and capture files; never rule text.
"""

from .capture import CaptureCounts, count_capture, decode_capture
from .columns import Classifier, Table, classifier
from .flows import FlowSums
from .lines import CaptureLines, Other, Words
from .module import available, engines, why_not

__all__ = [
    "CaptureCounts",
    "CaptureLines",
    "Classifier",
    "FlowSums",
    "Other",
    "Table",
    "Words",
    "available",
    "classifier",
    "count_capture",
    "decode_capture",
    "engines",
    "why_not",
]
