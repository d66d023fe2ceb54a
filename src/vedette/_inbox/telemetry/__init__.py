"""Logs and traces as they are shown: read out of items that may hold anything."""
