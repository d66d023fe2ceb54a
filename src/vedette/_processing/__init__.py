"""From the pipeline to the transport: bounded buffers, weighted scheduler, worker, what became of each item."""
