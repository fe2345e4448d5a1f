"""Every fault of `headset_faults` once, on one rig."""

import random

import pytest

from tests.system.headset_faults import moment, table, worn

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(600)]


def test_no_fault_of_a_headset_moves_an_arm_or_is_taken_for_a_hand() -> None:
    done = []
    with worn() as (operator, rig, samples):
        for number, fault in enumerate(operator.page.js("return operator.faults")):
            done.append(moment(operator, rig, samples, number, fault, random.Random(number)))
    assert not [found for found in done if found.foreign or found.moved], table(done)
    assert all(found.told and found.followed and found.samples > 5 for found in done), done
