"""What holds for all tests."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

# In CI a skipped test is a failure (`.ci/run` sets the variable), unless its reason begins
# like one of these.
MAY_SKIP_IN_CI = (
    "needs to mount a small file system",
)  # containers often may not mount, even as root
# with real services, kernels or environments; each takes more than ten seconds
SLOW = ("end_to_end",)
SLOW_FILES = (
    *("test_capture_cases", "test_served", "test_kernels", "test_supervisor"),
    *("test_supervisor_killed", "test_gateway_table", "test_workspace_crashes", "test_serve_stop"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long is left out of `make test-fast`."""
    for item in items:
        path = Path(item.path)
        if path.stem in SLOW_FILES or any(folder in path.parts for folder in SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    return fail_if_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    report = yield
    return fail_if_skipped(report)


def fail_if_skipped(report: Any) -> Any:
    if not (os.environ.get("TESTS_MAY_NOT_SKIP") and report.skipped) or hasattr(report, "wasxfail"):
        return report
    reason = str(report.longrepr[2]).removeprefix("Skipped: ")
    if not reason.startswith(MAY_SKIP_IN_CI):
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI can run it: {reason}"
    return report
