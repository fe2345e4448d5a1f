"""What stands in for the hardware: servo buses, a world with cameras, a bench, a scripted operator."""
