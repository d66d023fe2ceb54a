"""What an event is told about its surroundings: scopes, breadcrumbs, and the trace it belongs to."""
