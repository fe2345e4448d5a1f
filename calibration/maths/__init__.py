"""Pure geometry and statistics: transforms, lens, hand-eye, registration, latency."""
