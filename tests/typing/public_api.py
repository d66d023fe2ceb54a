"""Read by mypy and basedpyright in `make test`, never run: the public names keep their types."""
