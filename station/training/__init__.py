"""All that needs torch: networks, learning from episodes, import of others' checkpoints, export to ONNX."""
