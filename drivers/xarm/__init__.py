"""UFACTORY's arms over the network: xArm 5, 6 and 7, 850, Lite 6, and the grippers on their flanges."""
