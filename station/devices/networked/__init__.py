"""What arms on the network have in common, whoever makes them: a drivers' floor below `drivers/ur`, `drivers/xarm` and yours."""
