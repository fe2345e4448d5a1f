"""How processes live: the table of what runs, the supervisor that makes it true, a node's life, real-time priorities."""
