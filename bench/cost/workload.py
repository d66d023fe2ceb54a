"""The exceptions that are captured, with their tracebacks still warm: of 4 frames, and chains of such.

No imports: what this takes is in the memory of each process that is measured. `deep_workload.py` has the others.
"""

from __future__ import annotations


def shallow_error() -> ValueError:
    """An exception that has passed through 4 frames of a few locals each."""
    try:
        read_order({"id": 17, "quantity": "three", "sku": "B-205"})
    except ValueError as error:
        return error
    raise AssertionError


def read_order(fields: dict[str, object]) -> dict[str, int]:
    """The second frame."""
    number = fields["id"]
    order = {"quantity": quantity_of(fields, default=1)}
    return {**order, "id": to_int(number)}


def quantity_of(fields: dict[str, object], default: int) -> int:
    """The third."""
    value = fields.get("quantity")
    return to_int(value) if value else default


def to_int(value: object) -> int:
    """Where it is raised."""
    base = 10
    return int(str(value), base)


def chained_error() -> RuntimeError:
    """Three exceptions, the later two raised from the one before."""
    try:
        submit_order()
    except RuntimeError as error:
        return error
    raise AssertionError


def submit_order() -> None:
    """Where the third is raised."""
    channel = "web"
    try:
        check_order()
    except LookupError as error:
        raise RuntimeError(f"order of channel {channel} was refused") from error


def check_order() -> None:
    """Where the second is raised."""
    attempt = 1
    try:
        read_order({"id": 17, "quantity": "three", "sku": "B-205"})
    except ValueError as error:
        raise LookupError(f"no quantity, attempt {attempt}") from error
