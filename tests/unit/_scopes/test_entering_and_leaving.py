"""Which scopes are active: with blocks, generators, tasks, threads, and leaving from the wrong place."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit._scopes.recording import event_of, in_empty_context, messages
from vedette._scopes import entries
from vedette._scopes.context import (
    active_scopes,
    get_current_scope,
    get_global_scope,
    get_isolation_scope,
    isolation_scope,
    new_scope,
    set_tag,
    use_isolation_scope,
    use_scope,
)
from vedette._scopes.scope import Scope


def tag():
    """The tag that the current scope gives its events."""
    return event_of(get_current_scope()).get("tags", {}).get("tag")


def scoped(value):
    """A generator that holds a scope of its own while it is suspended."""
    with new_scope() as scope:
        scope.set_tag("tag", value)
        yield
        yield


@pytest.mark.spec("SCO-21", "SCO-22", "SCO-23", "SCO-25", "SCO-12")
def test_new_scope_forks_the_current_scope_for_the_block_and_nothing_else():
    current, isolation = get_current_scope(), get_isolation_scope()
    current.set_tag("tag", "outer")
    with new_scope() as scope:
        assert get_current_scope() is scope is not current
        assert get_isolation_scope() is isolation
        assert tag() == "outer"
        scope.set_tag("tag", "inner")
    assert get_current_scope() is current
    assert tag() == "outer"


@pytest.mark.spec("SCO-23", "SCO-24")
@pytest.mark.parametrize("enter", [new_scope, isolation_scope])
def test_a_block_is_left_by_an_exception_as_well(enter):
    current, isolation = get_current_scope(), get_isolation_scope()
    with pytest.raises(ZeroDivisionError), enter():
        raise ZeroDivisionError
    assert (get_current_scope(), get_isolation_scope()) == (current, isolation)


@pytest.mark.spec("SCO-13", "SCO-24")
def test_isolation_scope_forks_both_scopes_for_the_block():
    current, isolation = get_current_scope(), get_isolation_scope()
    current.set_tag("tag", "outer")
    isolation.set_tag("of", "isolation")
    with isolation_scope() as scope:
        assert get_isolation_scope() is scope is not isolation
        assert get_current_scope() is not current
        assert (tag(), event_of(scope)["tags"]) == ("outer", {"of": "isolation"})
        get_current_scope().set_tag("tag", "inner")
        scope.set_tag("of", "block")
    assert (get_current_scope(), get_isolation_scope()) == (current, isolation)
    assert (tag(), event_of(isolation)["tags"]) == ("outer", {"of": "isolation"})


@pytest.mark.spec("SCO-13")
def test_use_scope_and_use_isolation_scope_enter_the_scope_that_is_given():
    mine, other, current, isolation = Scope(), Scope(), get_current_scope(), get_isolation_scope()
    with use_scope(mine) as entered:
        assert entered is mine is get_current_scope()
        assert get_isolation_scope() is isolation
    with use_isolation_scope(other) as entered:
        assert entered is other is get_isolation_scope()
        assert get_current_scope() not in (current, other)
    assert (get_current_scope(), get_isolation_scope()) == (current, isolation)


def test_a_scope_entered_as_isolation_scope_has_a_trace_of_its_own():
    outer = get_isolation_scope().get_active_propagation_context()
    with use_isolation_scope(Scope()) as scope:
        trace = scope.get_active_propagation_context()
        assert trace.trace_id != outer.trace_id
        assert get_current_scope().get_active_propagation_context() is trace


def test_set_scopes_last_until_the_enclosing_block_ends():
    current, isolation = get_current_scope(), get_isolation_scope()
    with new_scope():
        mine, other = Scope(), Scope()
        Scope.set_current_scope(mine)
        assert (get_current_scope(), get_isolation_scope()) == (mine, isolation)
        outer = isolation.get_active_propagation_context()
        Scope.set_isolation_scope(other)
        assert (get_current_scope(), get_isolation_scope()) == (mine, other)
        assert mine.get_active_propagation_context() is other.get_active_propagation_context() is not outer
    assert (get_current_scope(), get_isolation_scope()) == (current, isolation)


@pytest.mark.spec("SCO-03", "SCO-05")
def test_there_is_one_global_scope_whatever_the_context():
    found = [get_global_scope(), in_empty_context(get_global_scope)]
    with isolation_scope():
        found.append(get_global_scope())
    with ThreadPoolExecutor(1) as pool:
        found.append(pool.submit(get_global_scope).result())
    assert all(scope is found[0] for scope in found)


@pytest.mark.spec("SCO-08", "SCO-09", "SCO-20")
def test_a_context_without_scopes_gets_its_own_when_asked():
    def look():
        assert active_scopes() == (get_global_scope(),) * 3  # a capture makes none
        current = get_current_scope()
        assert get_current_scope() is current
        assert active_scopes() == (current, get_isolation_scope(), get_global_scope())
        return current, get_isolation_scope()

    first, second = in_empty_context(look), in_empty_context(look)
    assert len({id(scope) for scope in (*first, *second)}) == 4


def test_scopes_made_inside_a_block_of_a_new_context_outlive_it():
    def look():
        with new_scope():
            isolation = get_isolation_scope()
            isolation.set_tag("tag", "1")
        return get_isolation_scope() is isolation

    assert in_empty_context(look)


# --- leaving from the wrong place -----------------------------------------------------------------------


@pytest.mark.spec("PAIN-20")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_generators_may_be_closed_in_any_order(order):
    before = get_current_scope()
    generators = [scoped(str(number)) for number in range(3)]
    for generator in generators:
        next(generator)
    for number in order:
        generators[number].close()
    assert get_current_scope() is before


@pytest.mark.spec("PAIN-20", "SCO-25", "PAIN-07")
def test_a_scope_held_by_a_suspended_generator_does_not_outlive_the_block_around_it():
    before = get_current_scope()
    with isolation_scope() as request:
        request.set_tag("of", "request")
        generator = scoped("inner")
        next(generator)
        assert tag() == "inner"
    assert get_current_scope() is before
    with new_scope() as later:
        next(generator)
        generator.close()
        assert get_current_scope() is later
    assert get_current_scope() is before


def close(generator):
    generator.close()


def run_to_its_end(generator):
    list(generator)


def drop_in_a_cycle(generator):
    cycle = [generator]
    cycle.append(cycle)


@pytest.mark.spec("SCO-23", "SCO-24", "PAIN-20")
@pytest.mark.parametrize("end", [close, run_to_its_end, drop_in_a_cycle])
@pytest.mark.parametrize("block", [new_scope, isolation_scope])
def test_a_generator_that_ends_inside_a_later_block_leaves_that_block_in_force(block, end):
    before = get_current_scope()
    generators = [scoped("inner")]
    next(generators[0])
    with block() as later:
        later.set_tag("tag", "later")
        inside = active_scopes()
        end(generators.pop())
        gc.collect()
        assert active_scopes() == inside
        set_tag("of", "the block")
        with new_scope():
            assert get_isolation_scope() is inside[1]
        assert active_scopes() == inside
    assert get_current_scope() is before
    with new_scope():
        assert tag() is None


@pytest.mark.spec("SCO-23", "PAIN-20")
def test_an_async_generator_that_is_closed_inside_a_later_block_leaves_that_block_in_force():
    async def scoped_async():
        with new_scope():
            yield

    async def main():
        before = get_current_scope()
        generator = scoped_async()
        await anext_of(generator)
        with new_scope() as later:
            await generator.aclose()
            assert get_current_scope() is later
        assert get_current_scope() is before

    asyncio.run(main())


@contextlib.contextmanager
def as_context_manager():
    with new_scope() as scope:
        scope.set_tag("tag", "block")
        yield


def in_exit_stack():
    stack = contextlib.ExitStack()
    stack.enter_context(as_context_manager())
    return stack


@pytest.mark.spec("SCO-23", "PAIN-07")
@pytest.mark.parametrize("block", [new_scope, as_context_manager, in_exit_stack])
def test_a_block_that_ends_takes_the_scope_of_a_generator_with_it_that_is_suspended_inside(block):
    before = get_current_scope()
    with block():
        generator = scoped("inner")
        next(generator)
    assert get_current_scope() is before
    generator.close()
    assert get_current_scope() is before


@pytest.mark.spec("SCO-23", "PAIN-20")
def test_a_context_manager_used_by_a_generator_is_the_generators():
    def scoped_by_another():
        with as_context_manager():
            yield

    before = get_current_scope()
    generator = scoped_by_another()
    next(generator)
    with new_scope() as later:
        generator.close()
        assert get_current_scope() is later
    assert get_current_scope() is before


@pytest.mark.spec("PAIN-07", "SCO-24")
def test_what_stands_on_the_isolation_scope_of_a_generator_ends_with_it():
    """A response that is streamed: what it left suspended must not carry the request into the next one."""

    def response(kept):
        with isolation_scope() as request:
            request.set_tag("of", "request")
            kept.append(scoped("inner"))
            next(kept[0])
            yield

    before = active_scopes()
    kept = []
    generator = response(kept)
    next(generator)
    assert event_of(get_isolation_scope())["tags"] == {"of": "request"}
    generator.close()
    assert active_scopes() == before
    kept[0].close()
    assert active_scopes() == before


@pytest.mark.spec("PAIN-07")
def test_the_price_a_block_entered_above_the_isolation_scope_of_a_generator_ends_with_it():
    def request():
        with isolation_scope():
            yield

    before = active_scopes()
    generator = request()
    next(generator)
    with new_scope():  # nothing tells it from a scope that the request left open
        generator.close()
        assert active_scopes() == before
    assert active_scopes() == before


@pytest.mark.spec("PAIN-20")
def test_a_generator_may_be_closed_in_a_copy_of_its_context():
    before = get_current_scope()
    generator = scoped("inner")
    next(generator)
    contextvars.copy_context().run(generator.close)
    assert get_current_scope() is before


@pytest.mark.spec("PAIN-20")
def test_a_generator_may_be_closed_beneath_a_scope_of_a_copy_of_its_context():
    before = get_current_scope()
    generator = scoped("inner")
    next(generator)

    def close():
        with new_scope() as mine:
            generator.close()
            assert get_current_scope() is mine
        return get_current_scope()

    assert contextvars.copy_context().run(close) is before
    assert get_current_scope() is before


@pytest.mark.spec("PAIN-20")
def test_a_generator_may_be_closed_in_another_thread():
    before = get_current_scope()
    generator = scoped("inner")
    next(generator)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(generator.close).result()
        assert pool.submit(tag).result() is None
    assert get_current_scope() is before


@pytest.mark.spec("PAIN-20")
def test_a_half_consumed_generator_may_be_collected_as_garbage():
    before = get_current_scope()

    def drop_in_a_cycle():
        cycle = [scoped("inner")]
        next(cycle[0])
        cycle.append(cycle)

    drop_in_a_cycle()
    assert tag() == "inner"
    collector = threading.Thread(target=gc.collect)
    collector.start()
    collector.join()
    assert get_current_scope() is before


@pytest.mark.parametrize("enter", [new_scope, isolation_scope])
def test_a_context_that_is_entered_again_is_another_scope_each_time(enter):
    outside = active_scopes()
    context = enter()
    with context as first:
        get_current_scope().set_tag("tag", "first")
        task = contextvars.copy_context()
    with context as second:
        assert first is not second
        assert tag() is None
        assert task.run(tag) == "first"
    assert active_scopes() == outside
    assert task.run(tag) == "first"


@pytest.mark.parametrize("enter", [new_scope, isolation_scope])
def test_a_context_may_be_entered_inside_itself(enter):
    outside = active_scopes()
    context = enter()
    with context:
        inside = active_scopes()
        with context:
            assert active_scopes() != inside
        assert active_scopes() == inside
    assert active_scopes() == outside


@pytest.mark.parametrize("enter", [new_scope, isolation_scope, lambda: use_scope(Scope())])
def test_a_context_that_was_never_entered_may_be_left(enter):
    before = active_scopes()
    enter().__exit__(None, None, None)
    assert active_scopes() == before


def test_a_tag_that_is_set_where_the_scope_was_left_meanwhile_goes_to_the_one_below():
    get_isolation_scope()

    def request():
        with isolation_scope():
            yield

    held = request()
    next(held)
    contextvars.copy_context().run(held.close)
    set_tag("tag", "of the scope in force")
    with isolation_scope():
        assert tag_of_isolation() == "of the scope in force"


def tag_of_isolation():
    return event_of(get_isolation_scope()).get("tags", {}).get("tag")


def test_a_tag_that_is_set_after_the_scope_was_cleared_is_kept():
    set_tag("tag", "before")
    get_isolation_scope().clear()
    assert tag_of_isolation() is None
    set_tag("tag", "after")
    assert tag_of_isolation() == "after"


def test_leaving_twice_changes_nothing():
    before = get_current_scope()
    block = new_scope()
    block.__exit__(None, None, None)  # never entered
    block.__enter__()
    block.__exit__(None, None, None)
    with new_scope() as other:
        block.__exit__(None, None, None)
        assert get_current_scope() is other
    assert get_current_scope() is before


@pytest.mark.spec("PAIN-20")
def test_an_async_generator_may_be_closed_from_another_task():
    async def scoped_async():
        with new_scope() as scope:
            scope.set_tag("tag", "inner")
            yield
            yield

    async def main():
        before = get_current_scope()
        generator = scoped_async()
        await anext_of(generator)
        assert tag() == "inner"
        await asyncio.create_task(close_in_new_scope(generator))  # a copy of this context
        assert get_current_scope() is before
        generator = scoped_async()
        await asyncio.create_task(anext_of(generator))  # entered elsewhere, closed here
        assert get_current_scope() is before
        await generator.aclose()
        assert get_current_scope() is before
        async for _ in scoped_async():
            break  # left to the event loop's finalizer
        gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert get_current_scope() is before

    async def close_in_new_scope(generator):
        with new_scope() as mine:
            await generator.aclose()
            assert get_current_scope() is mine

    asyncio.run(main())


def anext_of(generator):
    return generator.__anext__()


@pytest.mark.spec("PAIN-20")
def test_a_cancelled_task_leaves_its_scope():
    async def main():
        before = get_current_scope()

        async def hold():
            with new_scope():
                await asyncio.Event().wait()

        task = asyncio.create_task(hold())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert get_current_scope() is before

    asyncio.run(main())


def test_a_task_that_outlives_the_block_it_was_made_in_keeps_its_scopes():
    async def main():
        go_on = asyncio.Event()

        async def background():
            await go_on.wait()
            with new_scope():
                pass
            return get_current_scope(), get_isolation_scope()

        with isolation_scope() as isolation, new_scope() as current:
            task = asyncio.create_task(background())
            await asyncio.sleep(0)
        go_on.set()
        assert await task == (current, isolation)

    asyncio.run(main())


# --- nobody's data in another's event -------------------------------------------------------------------


def work_of(marker, client, step):
    """A unit of work in its own isolation scope, given a way to let others run in between."""

    async def work():
        with isolation_scope() as isolation:
            isolation.set_user({"id": marker})
            await step()
            isolation.add_breadcrumb(message=marker)
            with new_scope() as scope:
                scope.set_tag("tag", marker)
                await step()
                scope.capture_message(marker)
                await step()
            get_current_scope().capture_message(marker)

    return work()


def assert_no_foreign_marker(client, units):
    assert len(client.events) == 2 * units
    for event in client.events:
        marker = event["message"]
        assert event["user"] == {"id": marker}
        assert messages(event) == [marker]
        assert event.get("tags", {"tag": marker}) == {"tag": marker}


@pytest.mark.spec("PAIN-07")
def test_tasks_at_once_never_mix_their_data(client):
    async def main():
        await asyncio.gather(*(work_of(f"task {number}", client, pause) for number in range(100)))

    async def pause():
        await asyncio.sleep(0)

    asyncio.run(main())
    assert_no_foreign_marker(client, 100)


@pytest.mark.spec("PAIN-07")
def test_threads_at_once_never_mix_their_data(client):
    together = threading.Barrier(8)

    async def wait_for_the_others():
        together.wait(10)

    def run(number):
        try:
            work_of(f"thread {number}", client, wait_for_the_others).send(None)
        except StopIteration:
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(40)))
    assert_no_foreign_marker(client, 40)


@pytest.mark.spec("PAIN-07")
def test_a_unit_of_work_with_a_fresh_isolation_scope_knows_nothing_of_what_was_before(client):
    get_isolation_scope().add_breadcrumb(message="at boot")
    get_isolation_scope().set_tag("boot", "1")
    with use_isolation_scope(Scope()):
        get_current_scope().capture_message("m")
    (event,) = client.events
    assert "breadcrumbs" not in event
    assert "tags" not in event


# --- nothing is kept alive ------------------------------------------------------------------------------


def assert_all_gone(references):
    gc.collect()
    assert [reference for reference in references if reference() is not None] == []


def entries_below():
    """How many entries the context keeps alive."""
    entry, count = entries._top.get(), 0  # noqa: SLF001 - what is kept alive is not to be seen from outside
    while entry is not None:
        entry, count = entry.previous, count + 1
    return count


def held(references):
    with new_scope():
        references.append(weakref.ref(get_current_scope()))
        yield


@pytest.mark.parametrize("window", [1, 2, 5])
@pytest.mark.parametrize("run", [lambda close: close(), in_empty_context], ids=["own", "foreign"])
def test_overlapping_generators_leave_no_scope_behind(window, run):
    references = []
    suspended = []
    before = entries_below()
    for _ in range(1000):
        generator = held(references)
        next(generator)
        suspended.append(generator)
        if len(suspended) > window:
            run(suspended.pop(0).close)  # the oldest first: never the innermost
        assert entries_below() <= before + (window + 1) ** 2
    while suspended:
        run(suspended.pop().close)
    get_current_scope()
    with new_scope():
        assert entries_below() == before + 1
    assert_all_gone(references)


def test_generators_closed_in_a_foreign_context_leave_no_scope_behind():
    references = []
    before = entries_below()
    for _ in range(1000):
        generator = held(references)
        next(generator)
        contextvars.copy_context().run(generator.close)
        assert entries_below() <= before + 2
    with new_scope():
        assert entries_below() == before + 1
    assert_all_gone(references)


def test_work_that_schedules_itself_from_inside_its_block_grows_no_chain():
    depths = []

    async def main():
        async def again(rest):
            with new_scope():
                if rest:
                    task = asyncio.create_task(again(rest - 1))
                depths.append(entries_below())
            if rest:
                await task

        await again(50)

    asyncio.run(main())
    assert max(depths[25:]) <= depths[0] + 2


def test_replacing_a_scope_again_and_again_keeps_none_of_them():
    references = []

    def replace():
        for _ in range(100):
            for set_scope in (Scope.set_current_scope, Scope.set_isolation_scope):
                scope = Scope()
                references.append(weakref.ref(scope))
                set_scope(scope)
        assert entries_below() == 1

    in_empty_context(replace)
    assert_all_gone(references)
