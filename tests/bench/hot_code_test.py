"""What is read of the linker's map and of callgrind's trace, and what the list calls it."""

import unittest

import hot_code

MAP = """\
 .text          0x0000000000000000       0x10 before.o
Linker script and memory map
.text           0x0000000000001000     0x3000
 .text          0x0000000000001000      0x100 exporter/app/libexporter_app.a(app.cc.o)
                0x0000000000001020                main
 .text._ZN4absl7debian319functional_internal12InvokeObject
                0x0000000000001100      0x200 /usr/lib/libgrpc_unsecure.a(call.cc.o)
 .text.unlikely
                0x0000000000001300       0x80 /usr/lib/libdeflate.a(crc32.o)
 .text          0x0000000000001400      0x100 main.cc.o
 .rodata        0x0000000000002000      0x100 /usr/lib/libdeflate.a(crc32.o)
"""
TRACE = """\
events: Ir
ob=(1) /usr/bin/sidecar
fn=(1) one
0x1010 0 3
+4 0 3
cob=(2) /lib/libc.so.6
cfn=(2) two
calls=1 0x9000 0
* 0 40
ob=(2)
fn=(2)
0x1108 0 7
ob=(1)
0x1310 0 7
-516 0 7
"""


class HotCodeTest(unittest.TestCase):
    def test_sections_of_code_are_read_whether_or_not_their_line_is_broken(self) -> None:
        self.assertEqual([(one.begin, one.size, hot_code.listed(one)) for one in hot_code.sections(MAP.splitlines())], [
            (0x1000, 0x100, "exporter_app:app.cc.o"),
            (0x1100, 0x200, "_ZN4absl7debian319functional_internal12Inv"),
            (0x1300, 0x80, "deflate:crc32.o:unlikely"),
            (0x1400, 0x100, ""),
        ])

    def test_instructions_of_the_program_alone_are_read(self) -> None:
        self.assertEqual(hot_code.addresses(TRACE.splitlines(), "sidecar"), {0x1010, 0x1014, 0x1310, 0x110c})

    def test_what_was_run_is_listed_once(self) -> None:
        code = hot_code.sections(MAP.splitlines())
        self.assertEqual(hot_code.hot(code, {0x10, 0x1010, 0x1014, 0x1401}), {"exporter_app:app.cc.o"})


if __name__ == "__main__":
    unittest.main()
