"""All fuzz targets by name."""

from __future__ import annotations

import evaluators
import logs
import readers
import texts
import wires
from target import Target

TARGETS: dict[str, Target] = {
    target.name: target for module in (texts, wires, readers, logs, evaluators) for target in module.TARGETS
}
