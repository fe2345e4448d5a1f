"""The driver contract and the process around a device: serving, health, calibration in force."""
