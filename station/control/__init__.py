"""The pilot: who commands the arms, engaging, hand-overs, hold; and teleoperation from a headset."""
