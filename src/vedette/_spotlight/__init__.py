"""Spotlight, the local side-car for developers: a pipeline of its own beside the one to the server (INT-92).

Loaded by a client with the option ``spotlight``, and by nobody else. From the client to the side-car:
`pipeline` (what is shown there, and how that differs from what the server gets) -> `sidecar` (one client's) -> `outbox`
(one process's) -> `reach` (what happens while nobody is there).
"""
