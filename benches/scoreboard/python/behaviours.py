"""The scoreboard's questions and its judgement, for the Python systems: the same behaviours, limits
and figures as in `../behaviours`, whose words for them this goes by. A library's program has only
its set-up, its cached functions, and which of them answers which behaviour.

Hits that a slow key might hold up are 200 instead of 1,000: an interpreter takes its time.

    python scoreboard_cashews.py --list
    python scoreboard_cashews.py --behaviour long-body [--redis redis://127.0.0.1:6379]

One process asks one behaviour: `source` is the process's.
"""

import argparse
import asyncio
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

LIMIT = 30
CALLERS = 10
WARM = 200

NAMES = [
    "head-of-line blocking",
    "failing stampede",
    "leader cancelled",
    "long body",
    "sequential hits",
    "same name in two modules",
    "key collisions",
    "invalidate during compute",
    "caller after the ack",
    "tag orphaned",
    "tag shortened by a sibling",
    "clock skew",
    "Redis down",
    "Redis absent",
    "Redis restarted",
]


def many(count, what):
    return f"{count} {what}" + ("" if count == 1 else "s")


def word(name):
    return name.lower().replace(" ", "-")


class Failed(Exception):
    """What the body of a cached function fails with."""


class Source:
    """What the cached functions read. It counts who asks, and takes as long, or fails, as wanted."""

    def __init__(self):
        self.value, self.takes, self.fails, self.counted = 1, 0.0, False, {}
        self.last_id = os.getpid() << 32
        self.lock = threading.Lock()

    def _begin(self, id):
        with self.lock:
            self.counted[id] = self.counted.get(id, 0) + 1
            return self.value, self.takes, self.fails

    def read(self, id):
        """The body of a cached plain function."""
        value, takes, fails = self._begin(id)
        if takes:
            time.sleep(takes)
        if fails:
            raise Failed("the source fails")
        return value

    async def aread(self, id):
        """The body of a cached coroutine."""
        value, takes, fails = self._begin(id)
        await asyncio.sleep(takes)
        if fails:
            raise Failed("the source fails")
        return value

    def fresh_id(self):
        self.last_id += 1
        return self.last_id

    def runs(self, id):
        return self.counted.get(id, 0)

    async def begun(self, id):
        while not self.runs(id):
            await asyncio.sleep(0.001)


source = Source()


def join(first, second):
    """The body of a function that is called with two texts."""
    return f"<{first}><{second}>"


class Server:
    """A server of this program's own, gone with it."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = tempfile.mkdtemp(prefix="scoreboard-")
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # However this program ends, the server is killed with it.
        die = ctypes.CDLL(None).prctl
        self.process = subprocess.Popen(
            ["redis-server", *words], preexec_fn=lambda: die(1, signal.SIGKILL), **quiet
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.01)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def client(self):
        import redis

        return redis.Redis(port=self.port, decode_responses=True)


class Board:
    """What a library's program has to say to each behaviour."""

    def __init__(self, library, version):
        self.library, self.version, self.rows, self.server = library, version, {}, None

    def asked(self, name, how, run):
        """The library has it: `how` it is used, and what asks and judges, given this board."""
        self.rows[name] = (how, run)

    def lacking(self, name, what):
        """The library does not have what the behaviour is about."""
        self.rows[name] = (what, None)

    def url(self):
        if self.arguments.redis:
            return self.arguments.redis.rstrip("/")
        return self.own_server().url

    def own_server(self):
        self.server = self.server or Server()
        return self.server

    def write(self, name, how, found, figure):
        verdict = {
            "line": "verdict",
            "behaviour": name,
            "library": self.library,
            "version": f"{self.version} {how}".strip(),
            "found": found,
            "figure": figure,
        }
        print(json.dumps(verdict), flush=True)
        print(f"{name:36}{self.library:16}{verdict['version']:16}{found}: {figure}", file=sys.stderr)

    def main(self):
        assert sorted(self.rows) == sorted(NAMES), set(NAMES) ^ set(self.rows)
        parser = argparse.ArgumentParser()
        parser.add_argument("--list", action="store_true")
        parser.add_argument("--behaviour")
        parser.add_argument("--redis")
        # For the program that runs itself again, as another process.
        parser.add_argument("--act")
        parser.add_argument("--id", type=int)
        parser.add_argument("--value", type=int, default=1)
        parser.add_argument("--takes", type=float, default=0)
        self.arguments = parser.parse_args()
        if self.arguments.list:
            print("\n".join(map(word, NAMES)))
            return
        name = next(name for name in NAMES if word(name) == self.arguments.behaviour)
        how, run = self.rows[name]
        if run is None:
            self.write(name, "", "no_such_feature", how)
            return

        def give_up():
            self.write(name, how, "wrong", "hangs")
            self.end()

        limit = threading.Timer(LIMIT, give_up)
        limit.daemon = True
        limit.start()
        right, figure = asyncio.run(self.ran(run))
        self.write(name, how, "right" if right else "wrong", figure)
        self.end()

    async def ran(self, run):
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(100))
        return await run(self)

    def end(self):
        if self.server:
            self.server.stop()
            shutil.rmtree(self.server.folder, ignore_errors=True)
        # Not by waiting for threads: what hangs may have some.
        os._exit(0)

    def again(self, act, id, value=1, takes=0.0, ahead=False):
        """This program as another process, for one call or one invalidation; its clock may be 5 min
        ahead."""
        words = ["--behaviour", self.arguments.behaviour, "--redis", self.url(), "--act", act]
        words += ["--id", str(id), "--value", str(value), "--takes", str(takes)]
        environment = dict(os.environ)
        if ahead:
            environment["LD_PRELOAD"] = next(filter(os.path.exists, FAKETIME))
            environment |= {"FAKETIME": "+5m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return subprocess.Popen(
            [sys.executable, sys.argv[0], *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )


FAKETIME = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
]


async def acted(board, connect):
    """What the program does where it was run again."""
    arguments = board.arguments
    source.value, source.takes = arguments.value, arguments.takes
    client = await connect(board.url())
    if arguments.act == "read":
        value = await client.read(arguments.id)
        print(f"{value} {source.runs(arguments.id)}", flush=True)
    else:
        await client.invalidate(arguments.id)
        print("done", flush=True)
    # What the library does after its answer.
    await asyncio.sleep(0.2)
    os._exit(0)


async def outcome(call):
    """The value, or the error as text."""
    try:
        return await call, None
    except BaseException as error:  # a cancelled flight, too, is an answer
        return None, f"{type(error).__name__}: {error}"[:90]


async def head_of_line(client):
    warm = [source.fresh_id() for _ in range(WARM)]
    for id in warm:
        await client.read(id)
    cold = source.fresh_id()
    source.takes = 2.0
    compute = asyncio.ensure_future(client.read(cold))
    await source.begun(cold)
    source.takes = 0.0
    waits = []

    async def timed(id):
        began = time.monotonic()
        await client.read(id)
        waits.append(time.monotonic() - began)

    # So many at once as an interpreter serves within a few milliseconds.
    for at in range(0, len(warm), 50):
        await asyncio.gather(*map(timed, warm[at : at + 50]))
    await compute
    slow = sum(wait >= 0.5 for wait in waits)
    return slow == 0, f"{slow} of {WARM} hits wait, the longest {max(waits) * 1000:.0f} ms"


async def failing_stampede(client):
    source.takes, source.fails = 0.5, True
    id = source.fresh_id()
    began = time.monotonic()
    outcomes = await asyncio.gather(*(outcome(client.read(id)) for _ in range(CALLERS)))
    told = sum("the source fails" in (error or "") for _, error in outcomes)
    runs, took = source.runs(id), time.monotonic() - began
    figure = f"{many(runs, 'run')} for {CALLERS} callers, {told} got the error, {took:.1f} s"
    return runs == 1 and told == CALLERS, figure


async def leader_cancelled(client):
    source.takes = 1.0
    id = source.fresh_id()
    leader = asyncio.ensure_future(client.read(id))
    await source.begun(id)
    waiters = [asyncio.ensure_future(outcome(client.read(id))) for _ in range(2)]
    await asyncio.sleep(0.3)
    leader.cancel()
    cancelled = time.monotonic()
    for waiter in waiters:
        if not (await asyncio.wait([waiter], timeout=5))[0]:
            return False, "a waiter has nothing after 5s"
        value, error = waiter.result()
        if value != 1:
            return False, f"a waiter gets {error or value}"
    took = time.monotonic() - cancelled
    return True, f"waiters have it after {took:.1f} s, {many(source.runs(id), 'run')} of 1 s"


async def long_body(board, client):
    """With one caller in another process."""
    source.takes = 12.0
    id = source.fresh_id()
    began = time.monotonic()
    calls = [asyncio.ensure_future(outcome(client.read(id))) for _ in range(CALLERS - 1)]
    await source.begun(id)
    other = board.again("read", id, takes=12.0)
    served = [value for value, _ in await asyncio.gather(*calls)].count(1)
    value, runs = (await asyncio.to_thread(other.communicate))[0].split()
    served, runs = served + (value == "1"), source.runs(id) + int(runs)
    took = time.monotonic() - began
    figure = f"{many(runs, 'run')} for {CALLERS} callers, {served} served, {took:.1f} s"
    return runs == 1 and served == CALLERS, figure


async def sequential_hits(*clients):
    id = source.fresh_id()
    for client in clients:
        for _ in range(10):
            await client.read(id)
    runs = source.runs(id)
    return runs == 1, f"{many(runs, 'run')} for {10 * len(clients)} calls"


async def same_name(first, second):
    for _ in range(2):
        for expected, function in ((1, first), (2, second)):
            value = await function()
            if value != expected:
                return False, f"returns {value}, which is the other's"
    return True, "each has its own"


# What keys are put together with, or escaped by; the arguments' names are `first` and `second`.
SEPARATORS = ["", ":", "|", ",", "/", "&", "=", "-", "_", "::", "%3A", "\0"]
SEPARATORS += ['","', "second", ":second:", "&second="]


async def key_collisions(pair):
    for sign in SEPARATORS:
        for first, second in ((f"a{sign}b", "c"), ("a", f"b{sign}c")):
            value = await pair(first, second)
            if value != join(first, second):
                return False, f"f({first!r}, {second!r}) is {value!r}"
    return True, f"{len(SEPARATORS)} pairs apart"


async def at_rest(client):
    """An entry that nobody computes is invalidated at all: else there is nothing to ask."""
    id = source.fresh_id()
    await client.read(id)
    source.value = 2
    await client.invalidate(id)
    assert await client.read(id) == 2, "not even at rest"
    source.value = 1


async def invalidate_during_compute(client):
    await at_rest(client)
    source.takes = 1.0
    id = source.fresh_id()
    compute = asyncio.ensure_future(client.read(id))
    await source.begun(id)
    source.value = 2
    await client.invalidate(id)
    await compute
    value = await client.read(id)
    return value == 2, "the new value" if value == 2 else f"still {value} after 2 was written"


async def old_flight(client):
    await at_rest(client)
    source.takes = 1.0
    id = source.fresh_id()
    compute = asyncio.ensure_future(client.read(id))
    await source.begun(id)
    source.value = 2
    await client.invalidate(id)
    value = await client.read(id)
    await compute
    return value == 2, "the new value" if value == 2 else f"gets {value} after 2 was written"


async def tag_orphaned(board, connect, is_entry):
    """Each key that is not an entry is lost in turn, alone, before the invalidation and after it."""
    server = board.own_server()
    redis, losses = server.client(), 0

    def lose(at):
        keys = sorted(key for key in redis.keys("*") if not is_entry(key))
        return keys[at] if at < len(keys) and redis.delete(keys[at]) else None

    for when in ("before", "after"):
        for at in range(100):
            redis.flushall()
            source.value, id = 1, source.fresh_id()
            client = await connect(server.url)
            await client.invalidate_tag()
            await client.read(id)
            key = lose(at) if when == "before" else None
            source.value = 2
            await client.invalidate_tag()
            key = lose(at) if when == "after" else key
            if not key:
                break
            losses += 1
            for client in (await connect(server.url), client):
                value = await client.read(id)
                if value != 2:
                    return False, f"{key} lost {when} it: {value} where 2 was written"
    return losses > 0, f"no old value after {losses} losses"


async def tag_shortened(client, later):
    long, short = source.fresh_id(), source.fresh_id()
    await client.read(long)
    await client.read_short(short)
    await asyncio.sleep(2.5)
    source.value = 2
    await client.invalidate_tag()
    elsewhere, own = await later.read(long), await client.read(long)
    if (elsewhere, own) == (2, 2):
        return True, "the long one is reached"
    return False, f"still {own}, {elsewhere} elsewhere"


async def clock_skew(board, connect):
    if board.arguments.act:
        await acted(board, connect)
    figures = []
    for storing, who in ((True, "stored 5 min ahead"), (False, "invalidated 5 min ahead")):
        id = source.fresh_id()

        def act(act, value, ahead):
            return board.again(act, id, value, ahead=ahead)

        def said(process):
            return process.communicate()[0].split(" ")[0].strip()

        if said(act("read", 1, storing)) != "1":
            return False, "no value at first"
        if said(act("invalidate", 2, not storing)) != "done":
            return False, "no invalidation"
        after = [act("read", 2, False), act("read", 2, True)]
        after = [said(process) for process in after]
        if after != ["2", "2"]:
            return False, f"{who}: {after} after 2 was written"
        figures.append(f"{who}: reached")
    return True, "; ".join(figures)


async def without(client, id):
    longest = 0.0
    for id in (id, source.fresh_id(), source.fresh_id(), source.fresh_id()):
        began = time.monotonic()
        call = asyncio.ensure_future(outcome(client.read(id)))
        if not (await asyncio.wait([call], timeout=10))[0]:
            return False, "a call has nothing after 10s"
        _, error = call.result()
        if error:
            return False, f"a call fails: {error[:80]}"
        longest = max(longest, time.monotonic() - began)
        if longest >= 5:
            return False, f"a call takes {longest:.1f} s"
    return True, f"calls answered, the longest in {longest * 1000:.0f} ms"


async def recovered(writer, reader):
    began, failed, hits, last = time.monotonic(), 0, 0, ""
    while time.monotonic() - began < 15:
        id = source.fresh_id()
        errors = [error for client in (writer, reader) for _, error in [await outcome(client.read(id))]]
        for error in filter(None, errors):
            failed, last = failed + 1, f", the last: {error[:80]}"
        hits = hits + 1 if not any(errors) and source.runs(id) == 1 else 0
        if hits == 3:
            return True, f"hits after {time.monotonic() - began:.1f} s, {many(failed, 'call')} failed"
        await asyncio.sleep(0.1)
    return False, f"no hits for 15s, {many(failed, 'call')} failed{last}"


async def redis_down(board, connect):
    server = board.own_server()
    client, id = await connect(server.url), source.fresh_id()
    await client.read(id)
    server.stop()
    return await without(client, id)


async def redis_absent(board, connect):
    server = board.own_server()
    server.stop()
    clients = []
    for _ in range(2):
        client, error = await outcome(connect(server.url))
        if error:
            return False, f"no client: {error}"
        clients.append(client)
    meanwhile = await without(clients[0], source.fresh_id())
    server.start()
    after = await recovered(*clients)
    return meanwhile[0] and after[0], f"{meanwhile[1]}; {after[1]}"


async def redis_restarted(board, connect):
    server = board.own_server()
    clients = await connect(server.url), await connect(server.url)
    before = await recovered(*clients)
    if not before[0]:
        return False, f"before the restart: {before[1]}"
    server.stop()
    server.start()
    return await recovered(*clients)


def ask_all(board, how, connect, lacking=()):
    """The rows that need nothing but a client; not those that the library does not have."""

    def one(run):
        return lambda board: with_client(board, run)

    async def with_client(board, run):
        return await run(await connect(board.url()))

    async def long(board):
        if board.arguments.act:
            await acted(board, connect)
        return await long_body(board, await connect(board.url()))

    async def two(board, run):
        return await run(await connect(board.url()), await connect(board.url()))

    rows = {
        "head-of-line blocking": one(head_of_line),
        "failing stampede": one(failing_stampede),
        "leader cancelled": one(leader_cancelled),
        "long body": long,
        "sequential hits": lambda board: two(board, sequential_hits),
        "invalidate during compute": one(invalidate_during_compute),
        "caller after the ack": one(old_flight),
        "tag shortened by a sibling": lambda board: two(board, tag_shortened),
        "clock skew": lambda board: clock_skew(board, connect),
        "Redis down": lambda board: redis_down(board, connect),
        "Redis absent": lambda board: redis_absent(board, connect),
        "Redis restarted": lambda board: redis_restarted(board, connect),
    }
    for name, run in rows.items():
        if name in lacking:
            board.lacking(name, lacking[name])
        else:
            board.asked(name, how, run)
