"""A day of citizens before N replicas and M shards of Redis, minute by minute: how busy each resource is.

It is a model of flows, not of single requests: in each minute so many logins, requests and ends come, each
costs what was measured (`costs.py`), and what a resource cannot do in a minute waits for the next. Nothing in
it is drawn by chance, so the same input gives the same figures.

1. Requests and logins are spread evenly over replicas, and over their cores: a worker for each core.
2. A citizen comes to every replica, unless the balancer keeps them at one: each keeps the session near, reads
   it once, and tells the store of signs of life.
3. Records are spread evenly over shards. Every replica is at every shard all the time, and an end of a session
   is heard by every replica from every shard, because each shard passes on what any of them was told.
4. A server of Redis uses one core.
"""

from dataclasses import dataclass, field, replace
from itertools import accumulate

MINUTES = 24 * 60
MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE
SECOND = 1e6

# The hours of a day, in Polish time, by how many citizens begin something in them: an office that is asked
# from home. Only the form counts; `Habits.peak` says how high it is.
FORM = (1, 0.5, 0.3, 0.2, 0.3, 0.8, 2, 4, 6.5, 8, 8.5, 8, 7.5, 7, 6.5, 6, 5.5, 5, 5, 5.5, 6, 5, 3, 1.9)


@dataclass(frozen=True)
class Habits:
    """What citizens do."""

    # Who sign in on a day, each once on the average.
    citizens: float = 1_000_000
    # Requests that reach the gateway in one session: pages, what is in them, the session timer.
    requests: float = 60
    # Minutes from the login to the last request.
    active: int = 12
    # Minutes until a session ends by itself after that (`session.idle`).
    idle: int = 15
    # Share of sessions that are ended by signing out.
    signs_out: float = 0.3
    # Connections with TLS that browsers open in one session, where the gateway ends TLS.
    connections: float = 4
    # Minutes that such a connection stays open.
    connected: int = 2
    # The busiest hour by the average hour of the day.
    peak: float = 3.0
    # The busiest minute of an hour by the average minute of that hour.
    burst: float = 1.5
    # Bytes of the answer to a request, on the average.
    answer: float = 16 * 1024
    # Whether the gateway ends TLS, or something in front does.
    tls: bool = True


@dataclass(frozen=True)
class Plant:
    """What it runs on."""

    replicas: int = 2
    cores: int = 2
    shards: int = 1
    # Bytes of memory of one replica, and of one shard.
    replica_memory: float = 2 * GIBIBYTE
    shard_memory: float = 4 * GIBIBYTE
    # Bits a second that the network of one host carries, each way.
    network: float = 1e9
    # Whether the balancer keeps a citizen at one replica.
    sticky: bool = False
    # Exchanges with the node that one replica may have under way (`node.max_concurrent`), and how many
    # seconds each takes.
    exchanges: int = 64
    node: float = 0.5
    # Sessions that one replica keeps near (`session.maximum`).
    near: int = 1_000_000


@dataclass
class Resource:
    """One thing that can be busy."""

    name: str
    # What it can do in a minute, or hold, in units of its own.
    capacity: float
    # Whether what it cannot do in a minute waits, as work does; what is held is there, or there is no room.
    waits: bool = True
    # By minute, what came by the capacity.
    demand: list = field(default_factory=list)
    backlog: float = 0.0
    # The longest that anything waited, in minutes.
    delay: float = 0.0

    def take(self, amount):
        """Takes what comes in one minute, with what waits from the one before."""
        self.demand.append(amount / self.capacity)
        if self.waits:
            self.backlog = max(0.0, self.backlog + amount - self.capacity)
            self.delay = max(self.delay, self.backlog / self.capacity)

    @property
    def busiest(self):
        """Returns how busy it is in its busiest minute; 1 is all that it can."""
        return max(self.demand)

    def forget(self):
        """Begins a new day with what waits."""
        self.demand.clear()
        self.delay = 0.0


@dataclass(frozen=True)
class Day:
    """What a day was like."""

    resources: dict
    # The greatest of each: logins and requests a second, sessions at once, commands and bytes a second of all
    # shards together, cores of all replicas together.
    peak: dict

    @property
    def first(self):
        """Returns the first bottleneck: the resource that is busiest in its busiest minute."""
        return max(self.resources.values(), key=lambda resource: resource.busiest)


def day(costs, habits, plant):
    """Lets a day pass after one like it; returns how busy everything was."""
    resources = {
        resource.name: resource
        for resource in (
            Resource("CPU of a replica", plant.cores * 60 * SECOND),
            Resource("memory of a replica", plant.replica_memory, waits=False),
            Resource("network of a replica", plant.network * 60 / 8),
            Resource("exchanges with the node", plant.exchanges * 60),
            Resource("CPU of a shard", 60 * SECOND),
            Resource("memory of a shard", plant.shard_memory, waits=False),
            Resource("network of a shard", plant.network * 60 / 8),
        )
    }
    shares = minutes(habits)
    # What came until each minute, of two days.
    until = list(accumulate([*shares, *shares], initial=0.0))
    peak = {}
    for yesterday in (True, False):
        for minute in range(MINUTES):
            came = _Came(until, minute + MINUTES, habits)
            spent = _spend(costs, habits, plant, came)
            for name, amount in spent.items():
                if name in resources:
                    resources[name].take(amount)
                elif not yesterday:
                    peak[name] = max(peak.get(name, 0.0), amount)
        if yesterday:
            for resource in resources.values():
                resource.forget()
    return Day(resources, peak)


def limit(costs, habits, plant, most=1.0):
    """Returns how many citizens a day this is good for until something is as busy as that in its busiest
    minute, and what it is."""
    low, high = 0.0, 1e9
    while high - low > max(1.0, low / 1000):
        middle = (low + high) / 2
        if day(costs, replace(habits, citizens=middle), plant).first.busiest <= most:
            low = middle
        else:
            high = middle
    return int(low), day(costs, replace(habits, citizens=high), plant).first.name


def minutes(habits):
    """Returns the share of each minute of the day in its logins."""
    hours = _hours(habits.peak)
    # One minute in ten is a burst; the others have as much less.
    rest = (10 - habits.burst) / 9
    factor = [habits.burst if minute % 10 == 0 else rest for minute in range(60)]
    return [hours[minute // 60] / 60 * factor[minute % 60] for minute in range(MINUTES)]


def _hours(peak):
    """Returns the share of each hour, the greatest of which is `peak` times the average."""
    if not 1 <= peak < 24:
        raise ValueError("the peak hour is 1 to 24 times the average hour")
    highest = max(FORM)
    low, high = 0.0, 1000.0
    # The form to a power: 0 is flat, and the greater the power the higher its peak.
    for _ in range(100):
        power = (low + high) / 2
        raised = [(hour / highest) ** power for hour in FORM]
        if 24 / sum(raised) < peak:
            low = power
        else:
            high = power
    return [hour / sum(raised) for hour in raised]


class _Came:
    """What comes in one minute of a day, of which the day before was like it."""

    def __init__(self, until, minute, habits):
        def between(first, last):
            """Returns the logins from the first to before the last of these minutes."""
            return (until[last] - until[first]) * habits.citizens

        def since(ago):
            """Returns the logins of the last minutes, this one among them."""
            return between(minute + 1 - ago, minute + 1)

        self.logins = since(1)
        self.active = since(habits.active)
        # Who does not sign out is there until the idle time is over.
        stays = since(habits.active + habits.idle) - self.active
        self.alive = self.active + stays * (1 - habits.signs_out)
        self.requests = self.active * habits.requests / habits.active
        ended = between(minute - habits.active, minute - habits.active + 1)
        # Only an end that is told, and not one by the clock.
        self.ends = ended * habits.signs_out
        self.connections = self.logins * habits.connections if habits.tls else 0.0
        self.open = since(habits.connected) * habits.connections if habits.tls else 0.0
        self.last_hour = since(60)


def _spend(costs, habits, plant, came):
    """Returns what one minute asks of each resource, and of all together."""
    replica, redis = costs["replica"], costs["redis"]
    replicas, shards = plant.replicas, plant.shards
    met = 1 if plant.sticky else min(replicas, habits.requests)
    # 1. Replicas, of which each has its share.
    kind = "tls" if habits.tls else "plain"
    kib = max(0.0, habits.answer / 1024 - 1)
    request = replica[f"request_{kind}_us"] + kib * replica[f"kib_{kind}_us"]
    work = came.requests * request + came.logins * replica["login_us"]
    work += came.connections * replica["handshake_us"]
    work += came.ends * replicas * shards * replica["end_heard_us"]
    work += 60 * replicas * replica["idle_us_per_second"]
    near = min(plant.near, came.alive * met / replicas)
    memory = replica["idle_bytes"] + near * replica["session_bytes"]
    memory += came.open * replica["connection_bytes"] / replicas
    # 2. Shards. What each replica costs by being there it costs each of them.
    events = {
        "login": came.logins,
        "first_seen": came.logins * (met - 1),
        # No replica tells more often than it may, nor is there more to tell of than requests.
        "sign_of_life": min(came.active * met * redis["signs_a_minute"], came.requests),
        "sign_out": came.ends,
        "end_told": came.ends * replicas * shards,
        "replica_second": 60 * replicas * shards,
    }

    def of_redis(key):
        return sum(count * redis[event][key] for event, count in events.items())

    kept = came.alive * redis["session_bytes"] + came.last_hour * redis["used_bytes"]
    return {
        "CPU of a replica": work / replicas,
        "memory of a replica": memory,
        # An answer comes from the portal and goes to the citizen; the network has two ways.
        "network of a replica": came.requests * habits.answer / replicas,
        "exchanges with the node": came.logins * plant.node / replicas,
        "CPU of a shard": of_redis("cpu_us") / shards,
        "memory of a shard": redis["idle_bytes"] + kept / shards,
        "network of a shard": of_redis("bytes") / shards,
        "logins a second": came.logins / 60,
        "requests a second": came.requests / 60,
        "sessions": came.alive,
        "cores": work / 60 / SECOND,
        "commands a second": of_redis("commands") / 60,
        "bytes a second": of_redis("bytes") / 60,
        "bytes in Redis": kept + redis["idle_bytes"] * shards,
    }
