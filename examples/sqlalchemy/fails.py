"""A nightly job on SQLAlchemy that fails on purpose: the failure arrives once, after the queries before it.

SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/sqlalchemy/fails.py
"""

from __future__ import annotations

from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import vedette

# What arrives. No framework is at work, so there is no transaction.
FAILURES = {"ValueError: order 2 has no owner": None}
BREADCRUMBS = {"ValueError: order 2 has no owner": "query"}

vedette.init(release="shop@1.0")


class Base(DeclarativeBase):
    """The tables."""


class Order(Base):
    """What somebody wants."""

    __tablename__ = "orders"
    number: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str | None]
    price: Mapped[int]


def remind(order: Order) -> str:
    if order.owner is None:
        raise ValueError(f"order {order.number} has no owner")
    return f"Dear {order.owner}, we get {order.price}."


def main() -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        orders = [Order(number=1, owner="ann", price=10), Order(number=2, owner=None, price=7)]
        session.add_all(orders)
        session.commit()
        for order in session.scalars(select(Order).order_by(Order.number)):
            try:
                print(remind(order))
            except ValueError as error:
                vedette.capture_exception(error)
    with Session(engine) as session:
        session.add(Order(number=2, owner="bob", price=1))
        try:
            session.commit()
        except IntegrityError:  # there is one: handled, and so no event
            session.rollback()
    engine.dispose()


if __name__ == "__main__":
    main()
