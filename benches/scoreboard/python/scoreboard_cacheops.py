"""django-cacheops: `@cached_as` a model, with its lock against dog-piles and its check for what was
invalidated meanwhile, degrading where Redis is away. Its tags are models and conditions on them; a
process has one client. Functions are plain: they run on threads."""

import asyncio
import importlib.metadata

import django
from django.conf import settings

import behaviours
from behaviours import join, source

board = behaviours.Board("cacheops", importlib.metadata.version("django-cacheops"))
HOW = "cached_as(lock, keep_fresh)"


class Shop:
    """Set up once, with the URL of the first: the settings are the process's."""

    def __init__(self, url):
        if not settings.configured:
            settings.configure(
                INSTALLED_APPS=["cacheops"],
                DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
                CACHEOPS_REDIS=url,
                CACHEOPS={"*.*": {"timeout": 600}},
                CACHEOPS_DEGRADE_ON_FAILURE=True,
            )
            django.setup()
            self.define()

    def define(self):
        from cacheops import cached_as, invalidate_model
        from django.db import models

        class Book(models.Model):
            class Meta:
                app_label = "shop"

        @cached_as(Book, timeout=600, lock=True, keep_fresh=True)
        def book(id):
            return source.read(id)

        @cached_as(Book, timeout=1, lock=True, keep_fresh=True)
        def review(id):
            return source.read(id)

        @cached_as(Book, timeout=600)
        def pair(first, second):
            return join(first, second)

        Shop.book, Shop.review, Shop.pair = map(staticmethod, (book, review, pair))
        Shop.model, Shop.drop = Book, staticmethod(invalidate_model)
        Shop.cached_as = staticmethod(cached_as)

    async def read(self, id):
        return await asyncio.to_thread(self.book, id)

    async def read_short(self, id):
        return await asyncio.to_thread(self.review, id)

    async def invalidate(self, id):
        await self.invalidate_tag()

    async def invalidate_tag(self):
        await asyncio.to_thread(self.drop, self.model)


async def connect(url):
    return Shop(url)


async def same_name(board):
    """Two modules, as `import` makes them."""
    functions = []
    shop = Shop(board.url())
    for module, value in (("first", 1), ("second", 2)):
        names = {"__name__": module, "cached_as": shop.cached_as, "Book": shop.model}
        exec(f"@cached_as(Book, timeout=600)\ndef get(id):\n    return {value}", names)
        functions.append(names["get"])
    first, second = functions
    call = asyncio.to_thread
    return await behaviours.same_name(lambda: call(first, 7), lambda: call(second, 7))


async def key_collisions(board):
    shop = Shop(board.url())
    return await behaviours.key_collisions(lambda a, b: asyncio.to_thread(shop.pair, a, b))


async def tag_orphaned(board):
    # Entries are what functions return; the rest says which depend on a model.
    return await behaviours.tag_orphaned(board, connect, lambda key: key.startswith("as:"))


behaviours.ask_all(
    board, HOW, connect, {"leader cancelled": "plain functions are not cancelled"}
)
board.asked("same name in two modules", HOW, same_name)
board.asked("key collisions", HOW, key_collisions)
board.asked("tag orphaned", HOW, tag_orphaned)
board.main()
