"""The state machine of a sitting; every button, wherever it is, is a request to it."""
