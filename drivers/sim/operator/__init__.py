"""The scripted operator and the hand-over that it plays."""
