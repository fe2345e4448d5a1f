"""UFACTORY's controller and the gripper on its flange, as their clients see them over the network."""
