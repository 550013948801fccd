"""relaycache: the decorator on coroutines, with its Redis backend, tags and both of its flights."""

import importlib.metadata

from custom_cache import AioredisCache, ainvalidate, cache
from redis.asyncio import Redis

import behaviours
from behaviours import join, source


class Shop:
    def __init__(self, url):
        self.backend = AioredisCache(Redis.from_url(url), default_ttl=600)
        every = {"backend": self.backend, "distributed_singleflight": True}

        @cache(ttl=600, tags=lambda id: ["books", f"book:{id}"], **every)
        async def book(id):
            return await source.aread(id)

        @cache(ttl=1, tags=["books"], **every)
        async def review(id):
            return await source.aread(id)

        @cache(ttl=600, backend=self.backend)
        async def pair(first, second):
            return join(first, second)

        self.read, self.read_short, self.pair = book, review, pair

    async def invalidate(self, id):
        await ainvalidate(tags=[f"book:{id}"], backend=self.backend)

    async def invalidate_tag(self):
        await ainvalidate(tags=["books"], backend=self.backend)


async def connect(url):
    return Shop(url)


async def same_name(board):
    """Two modules, as `import` makes them."""
    functions = []
    for module, value in (("first", 1), ("second", 2)):
        names = {"__name__": module, "cache": cache, "backend": Shop(board.url()).backend}
        exec(f"@cache(ttl=600, backend=backend)\nasync def get(id):\n    return {value}", names)
        functions.append(names["get"])
    first, second = functions
    return await behaviours.same_name(lambda: first(7), lambda: second(7))


async def key_collisions(board):
    return await behaviours.key_collisions(Shop(board.url()).pair)


async def tag_orphaned(board):
    # Entries begin with the prefix of the values; the rest is the tags' and the locks'.
    return await behaviours.tag_orphaned(board, connect, lambda key: key.startswith("rc:"))


HOW = "distributed_singleflight, Redis"
board = behaviours.Board("relaycache", importlib.metadata.version("relaycache"))
behaviours.ask_all(board, HOW, connect)
board.asked("same name in two modules", HOW, same_name)
board.asked("key collisions", HOW, key_collisions)
board.asked("tag orphaned", HOW, tag_orphaned)
board.main()
