"""Emulated Dynamixel servos on ptys: control table, instructions, faults."""
