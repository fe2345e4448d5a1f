"""A Franka arm simulated by franky-sim, which has an environment of its own: it brings its own physics, and 600 MB."""
