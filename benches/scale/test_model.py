"""Cases that can be reckoned by hand, and what must always hold. `python3 -m unittest` in this folder."""

import unittest
from dataclasses import replace

import costs
import model
from model import Habits, Plant

EVENT = {"cpu_us": 0.0, "bytes": 0.0, "commands": 0.0}
# Everything is for nothing.
FREE = {
    "replica": {
        "request_plain_us": 0.0,
        "request_tls_us": 0.0,
        "kib_plain_us": 0.0,
        "kib_tls_us": 0.0,
        "handshake_us": 0.0,
        "login_us": 0.0,
        "end_heard_us": 0.0,
        "idle_us_per_second": 0.0,
        "idle_bytes": 0.0,
        "session_bytes": 0.0,
        "connection_bytes": 0.0,
    },
    "redis": {
        **{
            name: EVENT
            for name in ("login", "first_seen", "sign_of_life", "sign_out", "end_told", "replica_second")
        },
        "signs_a_minute": 2,
        "session_bytes": 0.0,
        "used_bytes": 0.0,
        "idle_bytes": 0.0,
    },
}
# 1440 citizens on a day on which every minute is as another: one a minute.
EVEN = Habits(citizens=1440, peak=1, burst=1, requests=60, active=12, idle=15, answer=0)


def priced(part, **prices):
    """Returns costs of which only these are not nothing."""
    return {**FREE, part: {**FREE[part], **prices}}


class ByHand(unittest.TestCase):
    """What can be reckoned without the model."""

    def busiest(self, costs, habits, plant, name):
        return model.day(costs, habits, plant).resources[name].busiest

    def test_an_even_day_has_the_same_in_every_minute(self):
        peak = model.day(FREE, EVEN, Plant()).peak
        self.assertAlmostEqual(peak["logins a second"], 1 / 60)
        # 12 are active, each asking 5 times a minute.
        self.assertAlmostEqual(peak["requests a second"], 1)
        # 12 active, and of 15 more those who have not signed out.
        self.assertAlmostEqual(peak["sessions"], 12 + 15 * 0.7)

    def test_cores_of_replicas(self):
        # 60 requests a minute at half a second are 30 s of the 240 s of two replicas with two cores.
        costs = priced("replica", request_tls_us=0.5e6)
        self.assertAlmostEqual(self.busiest(costs, EVEN, Plant(2, 2), "CPU of a replica"), 30 / 240)
        # Without TLS that price is not paid.
        plain = replace(EVEN, tls=False)
        self.assertEqual(self.busiest(costs, plain, Plant(2, 2), "CPU of a replica"), 0)
        # 60 answers a minute, of 3 KiB that are more than the first, at 10 ms each.
        costs, large = priced("replica", kib_tls_us=1e4), replace(EVEN, answer=4096)
        self.assertAlmostEqual(self.busiest(costs, large, Plant(1, 1), "CPU of a replica"), 0.03)
        # A login a minute of 6 s, at one core.
        costs = priced("replica", login_us=6e6)
        self.assertAlmostEqual(self.busiest(costs, EVEN, Plant(1, 1), "CPU of a replica"), 0.1)

    def test_shards_share_logins_and_each_has_all_replicas(self):
        costs = priced("redis", login={**EVENT, "cpu_us": 6e6})
        for shards, expected in ((1, 0.1), (2, 0.05)):
            plant = Plant(shards=shards)
            self.assertAlmostEqual(self.busiest(costs, EVEN, plant, "CPU of a shard"), expected)
        costs = priced("redis", replica_second={**EVENT, "cpu_us": 1e4})
        for shards in (1, 2, 5):
            plant = Plant(replicas=10, shards=shards)
            self.assertAlmostEqual(self.busiest(costs, EVEN, plant, "CPU of a shard"), 0.1)

    def test_ends_are_told_by_every_shard_to_every_replica(self):
        # 0.3 ends a minute, told to 4 replicas by each of 2 shards: 1.2 at each shard, of 5 s.
        costs = priced("redis", end_told={**EVENT, "cpu_us": 5e6})
        plant = Plant(replicas=4, shards=2)
        self.assertAlmostEqual(self.busiest(costs, EVEN, plant, "CPU of a shard"), 0.1)

    def test_signs_of_life_are_told_by_each_replica_but_not_more_often_than_there_are_requests(self):
        # 12 are active, each with 5 requests a minute.
        costs = priced("redis", sign_of_life={**EVENT, "cpu_us": 1e5})
        for replicas, signs in ((1, 12 * 2), (2, 12 * 4), (3, 12 * 5), (9, 12 * 5)):
            plant = Plant(replicas=replicas)
            self.assertAlmostEqual(self.busiest(costs, EVEN, plant, "CPU of a shard"), signs * 0.1 / 60)
            kept = replace(plant, sticky=True)
            self.assertAlmostEqual(self.busiest(costs, EVEN, kept, "CPU of a shard"), 12 * 2 * 0.1 / 60)

    def test_memory_follows_sessions_and_a_balancer_that_keeps_citizens(self):
        plant = Plant(replicas=3, replica_memory=22.5 * 100)
        costs = priced("replica", session_bytes=10)
        self.assertAlmostEqual(self.busiest(costs, EVEN, plant, "memory of a replica"), 0.1)
        kept = replace(plant, sticky=True)
        self.assertAlmostEqual(self.busiest(costs, EVEN, kept, "memory of a replica"), 0.1 / 3)
        few = replace(plant, near=9)
        self.assertAlmostEqual(self.busiest(costs, EVEN, few, "memory of a replica"), 0.04)

    def test_the_node_is_asked_by_as_many_as_may(self):
        # One login a minute that takes 6 s, at one replica that may ask once at a time.
        plant = Plant(replicas=1, exchanges=1, node=6)
        self.assertAlmostEqual(self.busiest(FREE, EVEN, plant, "exchanges with the node"), 0.1)

    def test_the_peak_hour_is_as_high_as_is_said(self):
        for peak in (1, 1.5, 2, 3, 6):
            shares = model.minutes(replace(EVEN, peak=peak))
            self.assertAlmostEqual(sum(shares), 1)
            hours = [sum(shares[hour * 60 : hour * 60 + 60]) for hour in range(24)]
            self.assertAlmostEqual(max(hours) * 24, peak, places=5)
        with self.assertRaises(ValueError):
            model.minutes(replace(EVEN, peak=24))
        burst = model.minutes(replace(EVEN, burst=2))
        self.assertAlmostEqual(max(burst) * 1440, 2)
        self.assertAlmostEqual(sum(burst), 1)

    def test_what_cannot_be_done_in_a_minute_waits(self):
        resource = model.Resource("r", 10)
        for amount in (5, 25, 5, 0, 0):
            resource.take(amount)
        # 15 are left over, then 10, then none: a minute and a half of work.
        self.assertEqual((resource.busiest, resource.delay, resource.backlog), (2.5, 1.5, 0))
        held = model.Resource("h", 10, waits=False)
        held.take(25)
        self.assertEqual((held.busiest, held.delay), (2.5, 0))


class Always(unittest.TestCase):
    """What holds with what was measured."""

    def setUp(self):
        self.costs = costs.read()

    def test_it_says_the_same_each_time(self):
        first, second = (model.day(self.costs, Habits(), Plant()) for _ in range(2))
        self.assertEqual(first.peak, second.peak)
        self.assertEqual(first.first.name, second.first.name)

    def test_the_limit_is_where_the_first_bottleneck_is_full(self):
        for plant in (Plant(1, 1), Plant(), Plant(8, 4, 3)):
            citizens, name = model.limit(self.costs, Habits(), plant)
            below = model.day(self.costs, Habits(citizens=citizens), plant)
            above = model.day(self.costs, Habits(citizens=citizens * 1.01), plant)
            self.assertLessEqual(below.first.busiest, 1)
            self.assertGreater(above.first.busiest, 1)
            self.assertEqual(above.first.name, name)

    def test_more_of_the_bottleneck_is_good_for_more(self):
        wide = Plant(1, 1, shards=8, network=1e12, exchanges=10_000, replica_memory=1e12)
        one, name = model.limit(self.costs, Habits(), wide)
        self.assertEqual(name, "CPU of a replica")
        two, _ = model.limit(self.costs, Habits(), replace(wide, cores=2))
        self.assertGreater(two, 1.9 * one)
        # And more of something else is not.
        other, _ = model.limit(self.costs, Habits(), replace(wide, shard_memory=1e12))
        self.assertAlmostEqual(other, one, delta=one / 500)


if __name__ == "__main__":
    unittest.main()
