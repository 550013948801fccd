"""cashews: `@cache` with its lock and tags, in Redis with the client side cache that its
documentation names for tags."""

import importlib.metadata

from cashews import Cache

import behaviours
from behaviours import join, source


class Shop:
    def __init__(self, url):
        self.cache = cache = Cache()
        cache.setup(url, client_side=True)

        @cache(ttl="10m", key="book:{id}", tags=["books", "book:{id}"], lock=True)
        async def book(id):
            return await source.aread(id)

        @cache(ttl="1s", key="review:{id}", tags=["books"], lock=True)
        async def review(id):
            return await source.aread(id)

        @cache(ttl="10m")
        async def pair(first, second):
            return join(first, second)

        self.read, self.read_short, self.pair = book, review, pair

    async def invalidate(self, id):
        await self.cache.delete_tags(f"book:{id}")

    async def invalidate_tag(self):
        await self.cache.delete_tags("books")


async def connect(url):
    return Shop(url)


async def same_name(board):
    """Two modules, as `import` makes them."""
    functions = []
    cache = Shop(board.url()).cache
    for module, value in (("first", 1), ("second", 2)):
        names = {"__name__": module, "cache": cache}
        exec(f"@cache(ttl='10m')\nasync def get(id):\n    return {value}", names)
        functions.append(names["get"])
    first, second = functions
    return await behaviours.same_name(lambda: first(7), lambda: second(7))


async def key_collisions(board):
    return await behaviours.key_collisions(Shop(board.url()).pair)


async def tag_orphaned(board):
    return await behaviours.tag_orphaned(board, connect, lambda key: "_tag:" not in key)


HOW = "lock, tags, Redis with client_side"
board = behaviours.Board("cashews", importlib.metadata.version("cashews"))
behaviours.ask_all(board, HOW, connect)
board.asked("same name in two modules", HOW, same_name)
board.asked("key collisions", HOW, key_collisions)
board.asked("tag orphaned", HOW, tag_orphaned)
board.main()
