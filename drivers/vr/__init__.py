"""A headset's browser as an input device and a display."""
