"""Arms of Dynamixel servos: ViperX, WidowX, GELLO leaders."""
