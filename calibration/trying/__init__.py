"""The first power-up of a rig: without torque, one joint at a time moved by hand, one camera at a time covered."""
