"""What simulated controllers on the network have in common: joints to move, a network between, ports at an address of their own."""
