"""The inbox in a terminal: one event on one screen, and the commands that print it."""
