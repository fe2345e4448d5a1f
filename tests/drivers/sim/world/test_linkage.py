import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.world.linkage import VX300S


def test_alohas_constants_come_out() -> None:
    """PUPPET_GRIPPER_JOINT_{OPEN,CLOSE} and POSITION_{OPEN,CLOSE} are one linkage."""
    assert VX300S.finger_m(1.4910) == pytest.approx(0.05800, abs=2e-4)
    assert VX300S.finger_m(-0.6213) == pytest.approx(0.01844, abs=2e-4)


@given(st.floats(-1.5, 1.5))
def test_angle_undoes_finger(angle: float) -> None:
    assert VX300S.angle_rad(VX300S.finger_m(angle)) == pytest.approx(angle, abs=1e-6)


@given(st.floats(-1.4, 1.4))
def test_the_ratio_is_the_derivative(angle: float) -> None:
    slope = (VX300S.finger_m(angle + 1e-6) - VX300S.finger_m(angle - 1e-6)) / 2e-6
    assert VX300S.m_per_rad(angle) == pytest.approx(slope, rel=1e-4)


def test_beyond_its_reach_it_stays_at_the_end() -> None:
    assert abs(VX300S.angle_rad(0.2)) == pytest.approx(1.5708, abs=1e-3)
