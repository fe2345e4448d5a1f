"""Arms of Franka Robotics over the network: FR3, and the Franka Hand on it."""
