"""One Python system as its users would set it up, measured on orders: a line in, a figure out.

    python shelf.py relaycache redis://127.0.0.1:6379

`hits TASKS CALLS`: microseconds of one call that finds its value on the server. `invalidate CALLS`:
microseconds until a tag is invalidated, after `fill ENTRIES` entries that carry it. Which order comes
when is said by who starts this.
"""

import asyncio
import random
import sys
import time

KEYS = 1_000


def book(number):
    """What is cached: as large as the value of the others."""
    return {
        "id": number,
        "title": f"The {number}th book on caching",
        "author": "Somebody Known",
        "blurb": "what it is about, in so many words " * 3,
    }


class Relaycache:
    """Decorator with tags, asynchronous client."""

    def __init__(self, url):
        from custom_cache import AioredisCache, cache
        from redis.asyncio import Redis

        self.backend = AioredisCache(Redis.from_url(url), default_ttl=3600)

        @cache(ttl=3600, backend=self.backend, tags=lambda number: ["books", f"book:{number}", "shop"])
        async def get(number):
            return book(number)

        @cache(ttl=3600, backend=self.backend, tags=["tagged"])
        async def tagged(number):
            return number

        self.get, self.tagged = get, tagged

    async def invalidate(self):
        await self.backend.ainvalidate_tags(["tagged"])


class Cashews:
    """Decorator with tags; a lock across processes."""

    def __init__(self, url):
        from cashews import Cache

        self.cache = Cache()
        self.cache.setup(url)
        cache = self.cache

        @cache(ttl="1h", key="book:{number}", tags=["books", "book:{number}", "shop"], lock=True)
        async def get(number):
            return book(number)

        @cache(ttl="1h", key="tagged:{number}", tags=["tagged"])
        async def tagged(number):
            return number

        self.get, self.tagged = get, tagged

    async def invalidate(self):
        await self.cache.delete_tags("tagged")


class Cacheops:
    """Functions cached as a model's; synchronous."""

    def __init__(self, url):
        import os

        import django
        from django.conf import settings

        # It blocks, as its users' threads do; all of them are one here.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

        settings.configure(
            INSTALLED_APPS=["cacheops"],
            CACHEOPS_REDIS=url,
            CACHEOPS={"*.*": {"timeout": 3600}},
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        )
        django.setup()
        from cacheops import cached_as, invalidate_model
        from django.db import connection, models

        class Book(models.Model):
            class Meta:
                app_label = "shop"

        with connection.schema_editor() as editor:
            editor.create_model(Book)

        @cached_as(Book, timeout=3600)
        def get(number):
            return book(number)

        @cached_as(Book, timeout=3600)
        def tagged(number):
            return number

        async def asynchronous(number, of):
            return of(number)

        self.get = lambda number: asynchronous(number, get)
        self.tagged = lambda number: asynchronous(number, tagged)
        self.model, self.invalidate_model = Book, invalidate_model

    async def invalidate(self):
        self.invalidate_model(self.model)


SYSTEMS = {"relaycache": Relaycache, "cashews": Cashews, "cacheops": Cacheops}


async def hits(system, tasks, calls):
    """Microseconds of one call: the time that passes, by the number of calls of all tasks."""

    async def task():
        for _ in range(calls // tasks):
            await system.get(random.randrange(KEYS))

    start = time.perf_counter()
    await asyncio.gather(*(task() for _ in range(tasks)))
    return (time.perf_counter() - start) * 1e6 / (calls // tasks * tasks)


async def main(name, url):
    system = SYSTEMS[name](url)
    for number in range(KEYS):
        await system.get(number)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order, *numbers = line.split()
        numbers = [int(number) for number in numbers]
        if order == "hits":
            figure = await hits(system, *numbers)
        elif order == "fill":
            for number in range(numbers[0]):
                await system.tagged(number)
            figure = 0.0
        elif order == "invalidate":
            start = time.perf_counter()
            for _ in range(numbers[0]):
                await system.invalidate()
            figure = (time.perf_counter() - start) * 1e6 / numbers[0]
        else:
            raise ValueError(f"no order `{order}` is known here")
        print(figure, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
