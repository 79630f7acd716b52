"""Raw datagrams, quantiles, pages, options, and the small gRPC client."""

import math
import os
import struct
import sys
import unittest

from spirelab.exposition import PageError, parse_page
from spirelab.options import parse_options
from spirelab.process import describe_exit
from spirelab.truth import (bucket_of, parse_timing, quantile_range, read_record, read_truth,
                            rpc_timings, within_one_bucket)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "spirelab",
                                "programs"))
import grpc_client  # noqa: E402  the helpers are programs of their own, not part of the package


class RecordTest(unittest.TestCase):
    def test_reads_whole_records_and_leaves_the_one_being_written(self) -> None:
        data = struct.pack("<dI", 1.5, 3) + b"abc" + struct.pack("<dI", 2.5, 10) + b"half"
        self.assertEqual(list(read_record(data)), [(1.5, b"abc")])

    def test_takes_rpc_timers_from_both_framings(self) -> None:
        timer = (b"spire_server.rpc.agent.v1.agent.attest_agent.elapsed_time:1.5|ms"
                 b"|#status:OK,host:h")
        other = b"spire_server.datastore.node.fetch.elapsed_time:1.0|ms|#status:OK"
        for datagram in (timer + b"\n" + other + b"\n", other + b"\n" + timer):
            found = list(rpc_timings([(7.0, datagram)]))
            self.assertEqual(len(found), 1)
            self.assertEqual((found[0].service, found[0].method, found[0].status),
                             ("agent.v1.agent", "attest_agent", "OK"))
            self.assertAlmostEqual(found[0].seconds, 0.0015)

    def test_what_is_no_rpc_timer_is_none(self) -> None:
        for line in (b"", b"spire_server.rpc.agent.v1.agent.attest_agent:1|c|#status:OK",
                     b"spire_agent.rpc.debug.get_info.elapsed_time:x|ms", b"a:b:c",
                     b"spire_server.rateLimit.x.y.elapsed_time:1|ms", b"\xff\xfe:1|ms"):
            self.assertIsNone(parse_timing(0.0, line), line)

    def test_the_simulators_record(self) -> None:
        found = read_truth([
            "100.5\tms\tspire_server.rpc.agent.v1.agent.attest_agent.elapsed_time\tOK\t2.5",
            "100.5\tc\tspire_server.rpc.agent.v1.agent.attest_agent\tOK\t1",
            "100.6\tms\tspire_agent.cache_manager.expiring_svids\t-\t3", "cut off"])
        self.assertEqual([(one.at, one.method, one.status, one.seconds) for one in found],
                         [(100.5, "attest_agent", "OK", 0.0025)])

    def test_a_service_of_one_word(self) -> None:
        timing = parse_timing(0.0, b"spire_agent.rpc.workload_api.fetch_x509svid.elapsed_time:2|ms")
        assert timing is not None
        self.assertEqual((timing.service, timing.method, timing.status),
                         ("workload_api", "fetch_x509svid", ""))


class QuantileTest(unittest.TestCase):
    def test_a_bound_belongs_to_its_own_bucket(self) -> None:
        self.assertEqual([bucket_of(value, [1.0, 2.0]) for value in (0.5, 1.0, 1.5, 2.0, 9.0)],
                         [0, 0, 1, 1, 2])

    def test_slack_widens_the_answer_but_stays_inside_the_data(self) -> None:
        values = [float(value) for value in range(1, 101)]
        self.assertEqual(quantile_range(values, 0.5, 0), (50.0, 50.0))
        self.assertEqual(quantile_range(values, 0.5, 3), (47.0, 53.0))
        self.assertEqual(quantile_range(values, 0.99, 50), (49.0, 100.0))

    def test_one_bucket_off_is_good_two_are_not(self) -> None:
        bounds = [1.0, 2.0, 3.0, 4.0]
        self.assertTrue(within_one_bucket(1.5, (2.5, 2.5), bounds))
        self.assertFalse(within_one_bucket(0.5, (2.5, 2.5), bounds))
        self.assertTrue(within_one_bucket(4.0, (50.0, 50.0), bounds))
        self.assertFalse(within_one_bucket(math.nan, (2.5, 2.5), bounds))


class PageTest(unittest.TestCase):
    def test_samples_labels_and_types(self) -> None:
        page = parse_page('# HELP a b\n# TYPE a counter\na{x="1\\n\\"\\\\",y=""} 2\na 3e0\n'
                          'b_bucket{le="+Inf"} +Inf\n')
        self.assertEqual(page.types, {"a": "counter"})
        self.assertEqual(page.series[0].labels, {"x": '1\n"\\', "y": ""})
        self.assertEqual(page.total("a"), 5.0)
        self.assertIsNone(page.total("absent"))
        self.assertEqual(page.series[2].value, math.inf)

    def test_a_broken_line_is_named(self) -> None:
        for text in ("a{x=1} 2\n", "a\n", "a x\n", 'a{x="1" 2\n'):
            with self.assertRaisesRegex(PageError, "line 1"):
                parse_page(text)


class OptionsTest(unittest.TestCase):
    def test_combinations_that_make_no_sense_end_with_2(self) -> None:
        for words in (["--check"], ["--for", "0"], ["--for", "x"],
                      ["--simulator", "--require-real"], ["--bogus"],
                      ["--for", "9", "--check", "--scenario", "x"]):
            with self.assertRaises(SystemExit) as caught, open(os.devnull, "w",
                                                               encoding="ascii") as sink:
                stderr, sys.stderr = sys.stderr, sink
                try:
                    parse_options(words)
                finally:
                    sys.stderr = stderr
            self.assertEqual(caught.exception.code, 2, words)

    def test_seconds(self) -> None:
        self.assertEqual(parse_options(["--for", "60", "--check"]).seconds, 60.0)
        self.assertEqual(parse_options(["--for=90s"]).seconds, 90.0)
        self.assertIsNone(parse_options([]).seconds)


class ProcessTest(unittest.TestCase):
    def test_ends_in_words(self) -> None:
        self.assertEqual([describe_exit(code) for code in (None, 0, 3, -9)],
                         ["never started", "exit 0", "exit 3", "SIGKILL"])


class GrpcTest(unittest.TestCase):
    def test_lengths_of_header_strings(self) -> None:
        self.assertEqual(grpc_client.header_block([("a", "bc")]), b"\x00\x01a\x02bc")
        self.assertEqual(grpc_client.header_block([("a", "x" * 300)])[3:5], b"\x7f\xad")

    def test_protobuf_fields(self) -> None:
        message = (grpc_client.text_field(1, "audience") + grpc_client.number_field(3, 300)
                   + grpc_client.text_field(2, "id"))
        self.assertEqual(list(grpc_client.fields(message)), [(1, b"audience"), (2, b"id")])
        with self.assertRaises(grpc_client.GrpcError):
            list(grpc_client.fields(b"\x80"))


if __name__ == "__main__":
    unittest.main()
