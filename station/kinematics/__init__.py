"""Forward and inverse kinematics of the rig's arms. Pure."""
