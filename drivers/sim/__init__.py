"""What stands where the metal would: servo buses, a world with cameras, a bench, a scripted operator."""
