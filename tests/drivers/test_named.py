"""Which arm it is stands in the first description already: what was measured of it is kept under its serial number."""

import pytest

from tests.drivers.makes import MAKES
from tests.drivers.metal import Metal


@pytest.mark.parametrize(("name", "serial"), [("ur", "20215500001"), ("xarm", "XS1304")])
@pytest.mark.parametrize("gripped", [True, False], ids=["with a gripper", "without one"])
def test_the_first_description_has_the_controllers_serial_number(name: str, serial: str, gripped: bool) -> None:
    make = MAKES[name]
    with Metal(name) as metal:
        arm = make.arm(metal.address, gripper=make.gripper if gripped else {"kind": "none"})
        try:
            arm.open()
            assert arm.describe().serial == serial
        finally:
            arm.close()
