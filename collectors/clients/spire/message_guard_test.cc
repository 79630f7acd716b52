#include "collectors/clients/spire/message_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace spire_exporter::spire {
namespace {

constexpr size_t kMax = 1000;

std::string Number(size_t number, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i) & 0xff);
  return out;
}

std::string Frame(int type, int flags, unsigned stream, const std::string& payload) {
  return Number(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         Number(stream, 4) + payload;
}

std::string Message(size_t announced, size_t sent) {
  return '\0' + Number(announced, 4) + std::string(sent, 'm');
}
std::string Message(size_t size) {
  return Message(size, size);
}

// Whole, and byte by byte.
bool Passes(const std::string& bytes) {
  MessageGuard whole(kMax), slow(kMax);
  const std::string settings = Frame(4, 0, 0, "");
  EXPECT_TRUE(whole.Pass(settings) && slow.Pass(settings));
  const bool passes = whole.Pass(bytes);
  bool slowly = true;
  for (size_t i = 0; i < bytes.size() && slowly; ++i) slowly = slow.Pass({bytes.data() + i, 1});
  EXPECT_EQ(passes, slowly);
  EXPECT_TRUE(whole.http2());
  return passes;
}

TEST(MessageGuardTest, PassesWhatIsNotTooLong) {
  EXPECT_TRUE(Passes(""));
  EXPECT_TRUE(Passes(Frame(4, 0, 0, "") + Frame(1, 4, 1, "headers") +
                     Frame(0, 0, 1, Message(kMax)) + Frame(0, 1, 1, Message(0))));
  // Two messages in one frame, and one in two.
  EXPECT_TRUE(Passes(Frame(0, 0, 1, Message(700) + Message(700))));
  EXPECT_TRUE(Passes(Frame(0, 0, 1, Message(900, 400)) + Frame(0, 0, 1, std::string(500, 'm')) +
                     Frame(0, 0, 1, Message(900))));
}

TEST(MessageGuardTest, KnowsWhatIsNoHttp2) {
  for (const std::string& bytes :
       {std::string("HTTP/1.1 200 OK\r\n"), Frame(0, 0, 1, Message(1)), Frame(4, 0, 1, "")}) {
    MessageGuard guard(kMax);
    EXPECT_FALSE(guard.Pass(bytes));
    EXPECT_FALSE(guard.http2());
  }
}

TEST(MessageGuardTest, RefusesAnAnnouncement) {
  EXPECT_FALSE(Passes(Frame(0, 0, 1, Message(kMax + 1, 0))));
  EXPECT_FALSE(Passes(Frame(0, 0, 1, Message(0xffff'ffff, 0))));
  EXPECT_FALSE(Passes(Frame(0, 0, 1, Message(10) + Message(kMax + 1, 1))));
  // In pieces, and among another stream's.
  const std::string announcement = Message(kMax + 1, 0);
  EXPECT_FALSE(Passes(Frame(0, 0, 1, announcement.substr(0, 3)) + Frame(0, 0, 3, Message(5)) +
                      Frame(0, 0, 1, announcement.substr(3))));
}

TEST(MessageGuardTest, RefusesACompressedMessage) {
  std::string packed = Message(10);
  packed[0] = 1;
  EXPECT_FALSE(Passes(Frame(0, 0, 1, packed)));
  EXPECT_FALSE(Passes(Frame(0, 0, 1, Message(10) + packed)));
  packed[0] = '\x80';  // no flag that is known
  EXPECT_FALSE(Passes(Frame(0, 0, 1, packed)));
}

TEST(MessageGuardTest, SeesThroughPadding) {
  const auto padded = [](const std::string& data, size_t padding) {
    return Frame(0, 8, 1, static_cast<char>(padding) + data + std::string(padding, '\xff'));
  };
  // Read as a message, the padding would announce 4 GiB.
  EXPECT_TRUE(Passes(padded(Message(3), 200) + padded(Message(3), 0)));
  EXPECT_FALSE(Passes(padded(Message(3), 200) + padded(Message(kMax + 1, 0), 10)));
  EXPECT_TRUE(Passes(Frame(0, 8, 1, std::string(1, '\0')) + Frame(0, 0, 1, Message(3))));
  EXPECT_FALSE(Passes(Frame(0, 8, 1, "\x05xx")));
}

TEST(MessageGuardTest, ForgetsStreamsThatEnd) {
  std::string bytes;
  for (unsigned i = 1; i < 1000; i += 2) {
    bytes += Frame(0, 0, i, Message(100, 50));
    bytes += i % 3 == 0 ? Frame(3, 0, i, "code") : Frame(i % 3 == 1 ? 1 : 0, 1, i, "");
  }
  EXPECT_TRUE(Passes(bytes));
}

TEST(MessageGuardTest, BoundsWhatItRemembersAndWhatIsNoMessage) {
  std::string bytes;
  for (unsigned i = 0; i < MessageGuard::kStreamsMax; ++i) {
    bytes += Frame(0, 0, 2 * i + 1, Message(100, 50));
  }
  EXPECT_TRUE(Passes(bytes));
  EXPECT_FALSE(Passes(bytes + Frame(0, 0, 9999, Message(100, 50))));

  constexpr size_t kHalf = MessageGuard::kHeaderBytesMax / 2;
  EXPECT_FALSE(Passes(Frame(1, 0, 1, std::string(MessageGuard::kHeaderBytesMax + 1, 'h'))));
  const std::string block =
      Frame(1, 0, 1, std::string(kHalf, 'h')) + Frame(9, 0, 1, std::string(kHalf, 'h'));
  EXPECT_TRUE(Passes(block + block));
  EXPECT_FALSE(Passes(block + Frame(9, 0, 1, "h")));
}

}  // namespace
}  // namespace spire_exporter::spire
