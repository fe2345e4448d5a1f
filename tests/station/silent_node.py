"""A process of the supervisor's table that never says a word; ends at SIGTERM."""

import signal

if __name__ == "__main__":
    signal.sigwait({signal.SIGTERM})
