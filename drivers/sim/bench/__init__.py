"""The bench world: a full rig's load without physics."""
