"""One robot set-up: its file, what it means, and what is plugged in."""
