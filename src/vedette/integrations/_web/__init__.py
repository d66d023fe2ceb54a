"""What integrations of web servers and frameworks share: requests that describe themselves, and the run of one.

Nothing of a request is read, decoded or copied unless an event is captured while it runs; its body is never read by
vedette, only noted as the application reads it (PAIN-10).
"""
