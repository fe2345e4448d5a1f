"""The simulated world: physics, the scene, its cameras and their faults."""
