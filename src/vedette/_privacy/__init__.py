"""What may leave the process: deny lists and scrubbing."""
