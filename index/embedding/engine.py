"""OpenVINO, the engine that runs the embedded model and those that a user names."""

from __future__ import annotations

import sys
from typing import Any


def import_openvino() -> Any:
    """OpenVINO without its telemetry, which would tell a host on the network that it was imported."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def compile_model(model: Any, precision: str | None = None) -> Any:
    """A request that runs an OpenVINO model on the processor, for one caller at a time.

    precision: "f32" or "bf16"; by default the fastest that the processor computes itself.
    """
    options = {"PERFORMANCE_HINT": "LATENCY"} | ({"INFERENCE_PRECISION_HINT": precision} if precision else {})
    return import_openvino().Core().compile_model(model, "CPU", options).create_infer_request()
