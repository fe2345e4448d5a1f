"""An arm that nobody sells: seven joints, effort in N·m, an address, a clock of its own. A driver's author could begin with it."""
