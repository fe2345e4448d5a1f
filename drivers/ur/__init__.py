"""Arms of Universal Robots over the network, and Robotiq's grippers on them."""
