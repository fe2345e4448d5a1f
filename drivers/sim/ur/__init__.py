"""Universal Robots' controller and the Robotiq gripper on its flange, as their clients see them over the network."""
