// Datagram sockets: how they come to be, what they read, and what the kernel dropped.
#ifndef COLLECTORS_TELEMETRY_DATAGRAM_SOCKET_H_
#define COLLECTORS_TELEMETRY_DATAGRAM_SOCKET_H_

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "collectors/telemetry/listen_address.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::telemetry {

// A file in a file system, whatever becomes of its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};
// Of the socket file at a path; absent when there is none.
std::optional<FileId> SocketFileAt(const std::string& path);

struct BoundSocket {
  UniqueFd fd;
  std::optional<FileId> file;  // of unixgram
  size_t receive_buffer = 0;   // of UDP: bytes, as the kernel accounts for datagrams
};

// Makes and binds a non-blocking socket. The receive buffer of UDP is raised as far as the system
// lets it. A socket file that nobody listens on any more is taken over; one that somebody listens
// on, or another kind of file, is left alone and kAlreadyExists. `socket_mode` are the rights of
// the socket file: a sender needs to write.
Result<BoundSocket> BindDatagramSocket(const ListenAddress& address, mode_t socket_mode);

// Removes a socket file that is still this socket's.
void RemoveSocketFile(const ListenAddress& address, const BoundSocket& socket);

// How many datagrams the kernel has dropped at a socket since it was made, modulo 2^32: of a full
// buffer or with a wrong checksum (SO_MEMINFO, SK_MEMINFO_DROPS). Exact at any time, unlike
// SO_RXQ_OVFL, which comes with the next datagram. Absent where the kernel does not tell.
std::optional<uint32_t> KernelDrops(int fd);

// Reads several datagrams by one call. Each may have 64 KiB; memory is touched as far as datagrams
// reach. Not safe from several threads.
class DatagramBatch {
 public:
  static constexpr size_t kDatagrams = 8;
  static constexpr size_t kDatagramMax = size_t{64} << 10;

  DatagramBatch();

  // The number of datagrams read: 0 when there is none. Never waits.
  Result<size_t> Receive(int fd);
  std::string_view datagram(size_t i) const;
  // Whether it was longer than kDatagramMax.
  bool truncated(size_t i) const { return (headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0; }

 private:
  std::unique_ptr<char[]> memory_;
  std::array<iovec, kDatagrams> pieces_;
  std::array<mmsghdr, kDatagrams> headers_;
};

}  // namespace spire_exporter::telemetry

#endif  // COLLECTORS_TELEMETRY_DATAGRAM_SOCKET_H_
