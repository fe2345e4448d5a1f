"""The one error tree of the station.

    StationError                    anything an operator may be told
    ├── RigError                    the rig file is wrong                              exit 2
    ├── SettingsWrong               this computer's settings file is wrong             exit 2
    ├── UsageError                  the command line asks for something impossible     exit 2
    ├── DeviceError                 a device is not as it should be
    │   ├── DeviceMissing           the port or the device is not there
    │   ├── DeviceBusy              somebody else has the port open
    │   ├── DeviceForbidden         this user may not open it
    │   ├── DeviceWrong             it answers, but is not what the rig file says
    │   └── DeviceSilent            it stopped answering                               (a TimeoutError)
    ├── CommandRefused              the last gate would not pass a command
    ├── RequestRefused              a node said no, and why
    │   └── CheckDue                the session wants a check first
    ├── NodeAbsent                  nobody answers at that endpoint                    (a TimeoutError)
    ├── AlreadyRunning              another station or node owns the rig
    ├── OtherVersion                the station that runs is other software than the command
    ├── CalibrationBroken           a calibration file is torn, edited or another device's
    ├── CheckFailed                 the calibration check says no-go
    ├── MeasurementPoor             what was measured is not good enough to be believed
    ├── WireError                   bytes on the bus that are no message of ours
    ├── PolicyError                 a policy folder is wrong, or does not fit the rig
    ├── BackendFault                a policy's backend failed, hung or answered nonsense
    └── EpisodeError                an episode or its journal cannot be used
        ├── JournalDamaged          the journal breaks off or does not add up
        ├── RowsMissing             rows that were announced as safe are not in the episode
        ├── NothingRecorded         the journal has no whole row
        └── DiskFull                there is no room left to record

Every message names the device, the port, what was expected, what was found and what to do next.
"""


class StationError(Exception):
    """Anything an operator may be told. `exit_code` is what the command that met it ends with."""

    exit_code = 1


class RigError(StationError):
    """The rig file is wrong.

    Seen when: a key is unknown, a value has the wrong type, two devices share a port.
    Do: edit the line the message names.
    """

    exit_code = 2

    def __init__(self, file: object, key: str, found: str, fix: str, line: int = 0, more: int = 0) -> None:
        others = f"; {more} more: `station rig check {file}`" if more else ""
        told = f" (line {line}{others})" if line else others
        super().__init__(f"{file}: {key}: {found}. Fix: {fix}{told}")
        self.key, self.found, self.fix, self.line = key, found, fix, line


class SettingsWrong(StationError):
    """This computer's settings file is wrong.

    Seen when: a key is unknown, a value has the wrong type, the file is no YAML.
    Do: edit the key the message names; `station settings show` lists them.
    """

    exit_code = 2

    def __init__(self, file: object, found: str, fix: str) -> None:
        super().__init__(f"{file}: {found}. Fix: {fix}")


class UsageError(StationError):
    """The command line asks for something impossible.

    Seen when: a rig name is not shipped, a flag is missing for a real rig.
    Do: what the message says.
    """

    exit_code = 2


class DeviceError(StationError):
    """A device is not as it should be; the leaves say how."""

    def __init__(self, device: str, port: str, expected: str, found: str, do: str) -> None:
        super().__init__(f"{device} on {port}: expected {expected}; found {found}. Next: {do}")
        self.device, self.port, self.expected, self.found, self.do = device, port, expected, found, do


class DeviceMissing(DeviceError):
    """The port or the device is not there.

    Seen when: the cable is out, the arm has no power, the udev rule is not installed.
    Do: check cable and power; `station find` lists what is plugged in.
    """


class DeviceBusy(DeviceError):
    """Somebody else has the port open.

    Seen when: a second program (Dynamixel Wizard, ROS, another station) uses the device.
    Do: close it; the message names the process where it can be read.
    """


class DeviceForbidden(DeviceError):
    """This user may not open the device.

    Seen when: the user is not in the group `dialout` (serial) or `video` (cameras).
    Do: the message gives the command; log out and in again afterwards.
    """


class DeviceWrong(DeviceError):
    """The device answers, but is not what the rig file says.

    Seen when: cables are swapped, a servo was replaced by another model, EEPROM differs and torque is on.
    Do: what the message says; support the arm first where it says so.
    """


class DeviceSilent(DeviceError, TimeoutError):
    """The device stopped answering.

    Seen when: a cable wiggles, a servo tripped, a camera froze.
    Do: check the cable; the driver reconnects by itself (readings only, never torque).
    """


class CommandRefused(StationError):
    """The last gate would not pass a command.

    Seen when: a command has NaN, the wrong length, is stale or out of order.
    Do: nothing; the arm holds. Find the source that sent it.
    """


class RequestRefused(StationError):
    """A node said no, and why.

    Seen when: the request makes no sense in this phase, or something it needs is missing.
    Do: what the message says.
    """


class CheckDue(RequestRefused):
    """The session opens no sitting on real arms before they are checked.

    Seen when: the last check is too old, of another rig file, or failed.
    Do: `station check --rig R`, then ask again; the commands that record do both by themselves.
    """


class NodeAbsent(StationError, TimeoutError):
    """Nobody answers at that endpoint.

    Seen when: the station is not running, or the node is being restarted.
    Do: `station status --rig R`.
    """


class NoKey(StationError):
    """This process may not speak as that node.

    Seen when: a node is started by hand, or the rig file has changed since the station was started.
    Do: let the supervisor start it (`station up --rig R`).
    """


class Planted(StationError):
    """Something lies in the runtime folder that the station did not put there.

    Seen when: a link, a folder or somebody else's file has the name of one of the station's.
    Do: find out who put it there, remove it, try again.
    """


class ForeignModule(StationError):
    """A module that is not the station's has the name of one of its own.

    Seen when: the command is run beside a folder `drivers/`, `station/` or `calibration/`, or PYTHONPATH leads to one.
    Do: rename it, or take it off the path.
    """


class AlreadyRunning(StationError):
    """Another station or node owns the rig.

    Seen when: a second station is started for the same rig.
    Do: attach to the running one, or stop it with `station stop --rig R`.
    """


class OtherVersion(StationError):
    """The station that runs is of another version than the command that would attach to it: they are not mixed.

    Seen when: the software was upgraded while a station ran.
    Do: `station stop --rig R`, then the same command again.
    """


class CalibrationBroken(StationError):
    """A calibration file is torn, edited by hand or another device's.

    Seen when: the disk filled up, somebody corrected a number in an editor, files were copied between computers.
    Do: move the file away and calibrate that device again.
    """

    def __init__(self, path: object, found: str, do: str) -> None:
        super().__init__(f"{path}: {found}. Next: {do}")


class CheckFailed(StationError):
    """The calibration check before a session says no-go, or could not be made.

    Seen when: a zero or a camera has moved, a servo is hot, a camera is slow.
    Do: what the findings say; or `record --override "reason"`, which is kept in every episode.
    """


class MeasurementPoor(StationError):
    """What was measured is not good enough to be believed; nothing was stored.

    Seen when: the arm moved while its zero was taken, too few views of the board, a camera that sees no motion.
    Do: what the message says, then measure again.
    """


class WireError(StationError):
    """Bytes on the bus that are no message of ours.

    Seen when: versions differ between nodes, or a stranger writes to the socket.
    Do: restart the station so that every node runs the same version.
    """


class PolicyError(StationError):
    """A policy folder is wrong, or does not fit the rig.

    Seen when: policy.yaml has an unknown key, statistics are missing or NaN, the rig lacks a camera.
    Do: edit the line the message names, or run the policy on the rig it was trained for.
    """

    def __init__(self, policy: object, key: str, found: str, fix: str) -> None:
        super().__init__(f"{policy}: {key}: {found}. Fix: {fix}")
        self.key = key


class BackendFault(StationError):
    """A policy's backend failed, hung or answered nonsense.

    Seen when: the graph raises, an action is NaN or of the wrong shape, an answer takes longer than its chunk lasts.
    Do: nothing at once; the arms follow what is buffered, then hold. `station policy bench DIR` tells more.
    """


class EpisodeError(StationError):
    """An episode or its journal cannot be used.

    Seen when: a file is not an episode, or lacks what the layout demands.
    Do: `station episodes verify` says what is wrong.
    """


class JournalDamaged(EpisodeError):
    """The journal breaks off or does not add up.

    Seen when: power was cut while recording, or the disk is failing.
    Do: `station episodes recover` saves the rows before the damage and keeps the journal as `.mcap.damaged`.
    """


class RowsMissing(EpisodeError):
    """Rows that were announced as safe are not in the episode.

    Seen when: the journal was damaged between its recording and the building of the episode.
    Do: keep the journal (`.mcap.damaged`) and check the disk; the episode holds what could be read.
    """


class NothingRecorded(EpisodeError):
    """The journal has no whole row.

    Seen when: a recording was cut off before its first row closed.
    Do: nothing; the journal is kept as `.mcap.empty`.
    """


class DiskFull(EpisodeError):
    """There is no room left to record.

    Seen when: the free space would not hold another minute.
    Do: free space or name another folder with --data.
    """
