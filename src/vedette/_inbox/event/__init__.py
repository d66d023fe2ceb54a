"""What a received event says, read into typed, bounded, safe values: for the terminal and the pages alike."""
