"""What keeps programs and packages of other editions of the unified API working: deprecated names, other paths."""
