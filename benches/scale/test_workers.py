"""Disassemblies and queues of which the answer can be told by hand. `python3 -m unittest` in this folder."""

import unittest

import atomics
import contention


class Atomics(unittest.TestCase):
    def test_instructions_with_a_prefix_and_exchanges_with_memory(self):
        atomic = ("lock xadd %rax,(%rdi)", "lock decq 0x8(%rbx)")
        atomic += ("xchg   %eax,(%rdx)", "xchg   %al,0x10(%rdi,%rcx,1)")
        for text in atomic:
            self.assertEqual(atomics.address(f"  4a10:\t{text}"), 0x4A10, text)
        for text in ("xchg   %ax,%ax", "xadd %rax,%rcx", "mov    (%rdi),%rax", "callq  99 <block_x>"):
            self.assertIsNone(atomics.address(f"  4a10:\t{text}"), text)

    def test_what_is_called_is_not_counted_twice(self):
        dump = "ob=/p\nfn=a\n0x10 3\n0x14 2\ncfn=b\ncalls=2 0x20\n0x18 90\n0x18 2\nfn=b\n0x20 50 7\n0x24 40\n"
        dump = f"events: Ir Dr\n{dump}totals: 97 7\n"
        self.assertEqual(atomics.by_function(dump, {"/p": {0x14, 0x18, 0x24}}), {"a": 4, "b": 40})
        self.assertEqual(atomics.totals(dump), {"Ir": 97, "Dr": 7})


class Contention(unittest.TestCase):
    def test_one_worker_has_all_lines_to_itself(self):
        one = contention.speed(1, 20e-6, [1, 3], 100e-9)
        self.assertAlmostEqual(one.rate, 50_000)
        self.assertAlmostEqual(one.efficiency, 1)
        self.assertEqual(one.busiest, 0)

    def test_two_workers_and_a_line(self):
        # Half of two fetches of 2 s are paid. Alone a worker needs 10 + 2; it is at the line for a sixth of
        # the time, so with another one a fetch takes 2 and a sixth of 2: 2 workers in 12 1/3 seconds.
        two = contention.speed(2, 10, [2], 2)
        self.assertAlmostEqual(two.rate, 2 / (10 + 2 + 2 / 6))
        self.assertAlmostEqual(two.efficiency, 10 / (12 + 1 / 3))
        self.assertAlmostEqual(two.busiest, 2 * 2 / (12 + 1 / 3))

    def test_two_lines_are_dearer_than_none_and_cheaper_than_one_of_both(self):
        none, apart, same = (contention.speed(8, 10, visits, 1).rate for visits in ([], [1, 1], [2]))
        self.assertAlmostEqual(none, 0.8)
        self.assertGreater(none, apart)
        self.assertGreater(apart, same)

    def test_no_more_is_done_than_the_busiest_line_allows(self):
        # Of 100 workers 99 in 100 fetches of a second are paid: a request in 0.99 s, however many there are.
        many = contention.speed(100, 10, [1, 0.5], 1)
        self.assertAlmostEqual(many.rate, 1 / 0.99, places=4)
        self.assertAlmostEqual(many.busiest, 1, places=4)


if __name__ == "__main__":
    unittest.main()
