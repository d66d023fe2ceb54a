"""What faces the host process: vedette's own log, and the border to code that is not vedette's."""
