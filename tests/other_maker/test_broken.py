"""A driver that breaks rules fails the kit, and each broken rule is the name of a test that fails."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = Path(__file__).parent / "broken_arm.py"
pytestmark = pytest.mark.timeout(400)  # a pytest of its own
ROOT = Path(__file__).parents[2]
FAIL = {
    "test_fifty_times_leave_nothing",
    "test_it_says_whose_clock_and_its_chain_is_of_its_joints",
    "test_its_state_is_what_it_describes_with_effort_in_its_unit",
    "test_it_refuses_what_is_no_goal",
    "test_a_stop_takes_no_goal_and_ends_by_an_operators_act_alone",
}
KEPT = {"test_its_joints_have_names_units_and_limits", "test_closing_leaves_torque_as_it_says"}


def test_each_broken_rule_fails_by_its_name() -> None:
    names = [f"{BROKEN}::TestBrokenArm::{name}" for name in sorted(FAIL | KEPT)]
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    failed = set(re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE))
    passed = set(re.findall(r"^PASSED \S+::(\w+)", done.stdout, re.MULTILINE))
    assert failed == FAIL, done.stdout[-3000:]
    assert passed == KEPT
    assert "a thread is left behind" in done.stdout
    assert "it has recovered by itself" in done.stdout
