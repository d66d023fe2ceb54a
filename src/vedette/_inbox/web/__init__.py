"""The inbox in a browser: pages rendered here, complete without JavaScript."""
