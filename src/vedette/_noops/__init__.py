"""What programs of the unified API call and vedette does not do yet: tracing, logs, metrics, check-ins, profiles.

Each of these names lets the program run on unchanged. It keeps nothing, sends nothing, and says so once in
debug mode. A feature that is built takes its names from here.
"""
