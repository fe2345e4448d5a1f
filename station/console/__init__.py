"""What people look at: the board in the headset."""
