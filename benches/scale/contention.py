"""What lines of memory that workers share cost when there are many workers: a closed network of queues.

1. A worker does the work of a request that nobody else is in the way of (`work`), and fetches the lines that it
   shares with others, one after another, again and again: it is never without a request.
2. A line is at one core at a time. To have it fetched from another core takes `transfer`; who asks meanwhile waits.
   With N workers the one that had it last asks again in one case of N, and then it is there already.
3. What N workers do is reckoned by mean value analysis (Reiser and Lavenberg 1980): a worker that comes to a line
   finds as many waiting as there are on the average with one worker less.

Taken for granted: all lines are asked for at random times, and a fetch keeps nobody waiting but who wants that
line. It does not know the bus, the cache that all cores share, the kernel, and the hardware threads of a core.
"""

from dataclasses import dataclass

# Seconds that a line takes from one core to another: some 50 ns between cores that share a cache, 100 within a
# processor, 200 and more between two processors. Assumed, as what processors of servers have.
NEAR, USUAL, FAR = 50e-9, 100e-9, 200e-9


@dataclass(frozen=True)
class Speed:
    """What so many workers do."""

    # Requests a second of all.
    rate: float
    # By what they would do if they shared nothing.
    efficiency: float
    # The share of its time that the most wanted line is being fetched.
    busiest: float


def speed(workers, work, visits, transfer):
    """Returns what workers do; `visits` are the fetches a request of each line that they share."""
    costs = [count * transfer * (1 - 1 / workers) for count in visits]
    queues, rate = [0.0] * len(costs), 0.0
    for present in range(1, workers + 1):
        waits = [cost * (1 + queue) for cost, queue in zip(costs, queues)]
        rate = present / (work + sum(waits))
        queues = [rate * wait for wait in waits]
    return Speed(rate, rate * work / workers, rate * max(costs, default=0.0))
