#include "tests/fakes/identity/tunnel.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace spire_exporter::fakes {
namespace {

constexpr size_t kChunk = size_t{16} << 10;
// Beyond, no more is read, so that a peer that reads nothing holds no memory.
constexpr size_t kHeldMax = size_t{256} << 10;

// What came, or nothing; false when the other side is gone.
bool ReadSome(int fd, std::string* out) {
  std::array<char, kChunk> buffer{};
  const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (count > 0) out->append(buffer.data(), static_cast<size_t>(count));
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

// How many went; below zero when the other side is gone.
ssize_t WriteSome(int fd, const char* data, size_t size) {
  const ssize_t count = ::send(fd, data, size, MSG_NOSIGNAL);
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : count;
}

}  // namespace

Tunnel::Tunnel(UniqueFd outside, UniqueFd inside, TlsSession tls)
    : outside_(std::move(outside)), inside_(std::move(inside)), tls_(std::move(tls)) {
  if (!tls_) return;
  SSL_set_bio(tls_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(tls_.get());
}

bool Tunnel::Pump(SteadyTime now) {
  if (to_inside_.size() < kHeldMax && !ReadOutside()) return false;
  if (!FlushInside()) return false;
  if (!inside_ended_ && to_outside_.size() < kHeldMax && !ReadInside()) inside_ended_ = true;
  if (!FlushOutside(now)) return false;
  return !(inside_ended_ && to_outside_.empty());
}

bool Tunnel::ReadOutside() {
  if (!tls_) return ReadSome(outside_.get(), &to_inside_);
  std::string raw;
  const bool open = ReadSome(outside_.get(), &raw);
  if (!raw.empty()) {
    BIO_write(SSL_get_rbio(tls_.get()), raw.data(), static_cast<int>(raw.size()));
    if (!Decrypt()) return false;
  }
  return open;
}

bool Tunnel::Decrypt() {
  std::array<char, kChunk> buffer{};
  ERR_clear_error();
  while (true) {
    const int count = SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
    DrainTls();
    if (count > 0) {
      to_inside_.append(buffer.data(), static_cast<size_t>(count));
      continue;
    }
    return SSL_get_error(tls_.get(), count) == SSL_ERROR_WANT_READ;
  }
}

void Tunnel::DrainTls() {
  std::array<char, kChunk> buffer{};
  BIO* const bio = SSL_get_wbio(tls_.get());
  for (int count = BIO_read(bio, buffer.data(), static_cast<int>(buffer.size())); count > 0;
       count = BIO_read(bio, buffer.data(), static_cast<int>(buffer.size()))) {
    to_outside_.append(buffer.data(), static_cast<size_t>(count));
  }
}

bool Tunnel::ReadInside() {
  // Nothing can be said before hands were shaken.
  if (tls_ && SSL_is_init_finished(tls_.get()) == 0) return true;
  if (!tls_) return ReadSome(inside_.get(), &to_outside_);
  std::string plain;
  const bool open = ReadSome(inside_.get(), &plain);
  if (!plain.empty()) {
    SSL_write(tls_.get(), plain.data(), static_cast<int>(plain.size()));
    DrainTls();
  }
  return open;
}

bool Tunnel::FlushInside() {
  const ssize_t count = WriteSome(inside_.get(), to_inside_.data(), to_inside_.size());
  if (count > 0) to_inside_.erase(0, static_cast<size_t>(count));
  return count >= 0 || inside_ended_;
}

bool Tunnel::FlushOutside(SteadyTime now) {
  size_t size = to_outside_.size();
  if (drip_) {
    if (now < drip_due_) return true;
    size = std::min<size_t>(size, 1);
  }
  if (left_) size = std::min<size_t>(size, *left_ - std::min(*left_, sent_));
  const ssize_t count = WriteSome(outside_.get(), to_outside_.data(), size);
  if (count < 0) return false;
  to_outside_.erase(0, static_cast<size_t>(count));
  sent_ += static_cast<uint64_t>(count);
  if (drip_ && count > 0) drip_due_ = now + *drip_;
  if (left_ && sent_ >= *left_) {
    const linger reset{1, 0};
    ::setsockopt(outside_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    return false;
  }
  return true;
}

void Tunnel::AppendPoll(std::vector<pollfd>* fds) const {
  short outside = 0;
  if (to_inside_.size() < kHeldMax) outside |= POLLIN;
  if (!to_outside_.empty() && !drip_) outside |= POLLOUT;
  fds->push_back({outside_.get(), outside, 0});
  short inside = 0;
  const bool ready = !tls_ || SSL_is_init_finished(tls_.get()) != 0;
  if (ready && to_outside_.size() < kHeldMax) inside |= POLLIN;
  if (!to_inside_.empty()) inside |= POLLOUT;
  fds->push_back({inside_ended_ ? -1 : inside_.get(), inside, 0});
}

SteadyTime Tunnel::next_due() const {
  return drip_ && !to_outside_.empty() ? drip_due_ : SteadyTime::max();
}

}  // namespace spire_exporter::fakes
