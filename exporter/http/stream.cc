#include "exporter/http/stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace spire_exporter {
namespace {

Stream::Outcome FromSystem(ssize_t got) {
  if (got >= 0) return {Stream::State::kDone, static_cast<size_t>(got)};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return {Stream::State::kBlocked, 0};
  }
  return {Stream::State::kClosed, 0};
}

iovec Part(std::string_view text) {
  // sendmsg only reads, but its structure is shared with recvmsg.
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace

Stream::Outcome Stream::FromTls(TlsSession::Outcome outcome) {
  switch (outcome.state) {
    case TlsSession::State::kDone:
      return {State::kDone, outcome.bytes};
    case TlsSession::State::kWantsRead:
      wants_ = EPOLLIN;
      return {State::kBlocked, 0};
    case TlsSession::State::kWantsWrite:
      wants_ = EPOLLOUT;
      return {State::kBlocked, 0};
    case TlsSession::State::kClosed:
    case TlsSession::State::kPlainHttp:
      break;
  }
  return {State::kClosed, 0};
}

Stream::Greeting Stream::Handshake() {
  if (tls_ == nullptr) tls_ = server_->Accept(fd_.get());
  if (tls_ == nullptr) return Greeting::kFailed;  // no memory
  const TlsSession::Outcome outcome = tls_->Handshake();
  if (outcome.state == TlsSession::State::kPlainHttp) {
    tls_.reset();
    handshaking_ = false;
    return Greeting::kPlainHttp;
  }
  switch (FromTls(outcome).state) {
    case State::kDone:
      handshaking_ = false;
      return Greeting::kDone;
    case State::kBlocked:
      return Greeting::kBlocked;
    case State::kClosed:
      break;
  }
  return Greeting::kFailed;
}

Stream::Outcome Stream::Read(char* buffer, size_t size) {
  return tls_ ? FromTls(tls_->Read(buffer, size)) : Discard(buffer, size);
}

Stream::Outcome Stream::Discard(char* buffer, size_t size) {
  wants_ = EPOLLIN;
  const ssize_t got = recv(fd_.get(), buffer, size, MSG_DONTWAIT);
  if (got == 0) return {State::kClosed, 0};
  return FromSystem(got);
}

Stream::Outcome Stream::Write(std::string_view first, std::string_view second) {
  if (tls_) return FromTls(tls_->Write(first, second));
  wants_ = EPOLLOUT;
  std::array<iovec, 2> parts = {Part(first), Part(second)};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return FromSystem(sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

void Stream::EndWriting() {
  if (tls_) {
    tls_->EndWriting();
    return;
  }
  shutdown(fd_.get(), SHUT_WR);
}

}  // namespace spire_exporter
