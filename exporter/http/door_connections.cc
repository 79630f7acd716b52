// What the door does with one connection; the loop around it is in door.cc.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/http/door.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// After an answer that closes: how long, and for how many bytes, the peer may go on sending before
// it gets a reset, which could cost it the answer.
constexpr Duration kLingerTime = std::chrono::seconds(1);
constexpr size_t kLingerBytes = 256 * 1024;

// The request as civetweb gets it. Method and path come from the route, so nothing that a client
// wrote is left in the first line; what concerns the connection alone stays in the door.
std::string EngineRequest(const HttpHead& head, const HttpRoute& route) {
  // The gate alone sees what clients are known by.
  static constexpr std::string_view kDropped[] = {
      "authorization",    "connection", "content-length", "cookie", "expect", "keep-alive",
      "proxy-connection", "te",         "trailer",        "upgrade"};
  std::string request;
  request.reserve(head.fields.size() + route.path.size() + 64);
  request.append(head.method).append(" ").append(route.path).append(" HTTP/1.1\r\n");
  std::string_view rest = head.fields;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    std::string name(line.substr(0, line.find(':')));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (std::find(std::begin(kDropped), std::end(kDropped), name) != std::end(kDropped)) continue;
    // A blank is a blank (RFC 9110 5.5), and civetweb refuses the one that is a tab.
    const size_t begin = request.size();
    request.append(line).append("\r\n");
    std::replace(request.begin() + static_cast<std::ptrdiff_t>(begin), request.end(), '\t', ' ');
  }
  request.append("Content-Length: 0\r\n\r\n");
  return request;
}

bool TooLarge(int status) {
  return status == 413 || status == 414 || status == 431;
}

}  // namespace

// Reads once, or takes what came behind the last request.
void Door::StepInput(Connection& connection) {
  if (connection.state != Connection::State::kWaiting || connection.parked) return;
  if (std::exchange(connection.pipelined, false)) {
    Advance(connection);
    return;
  }
  const Stream::Outcome got = connection.stream.Read(scratch_.data(), scratch_.size());
  if (got.state == Stream::State::kBlocked) {
    Listen(connection, connection.stream.wants());
    return;
  }
  if (got.state == Stream::State::kClosed) {
    Close(connection);
    return;
  }
  if (connection.idle) {
    connection.idle = false;
    SetDeadline(connection, parts_.options.request_timeout);
  }
  connection.input.append(scratch_.data(), got.bytes);
  input_bytes_ += got.bytes;
  Advance(connection);
}

void Door::Discard(Connection& connection) {
  const Stream::Outcome got = connection.stream.Discard(scratch_.data(), scratch_.size());
  if (got.state == Stream::State::kBlocked) return;
  connection.linger_left -= std::min(connection.linger_left, got.bytes);
  if (got.state == Stream::State::kClosed || connection.linger_left == 0) Close(connection);
}

// As far as it goes without waiting, and not into the next request. The connection may be gone
// afterwards.
void Door::Advance(Connection& connection) {
  while (connection.state == Connection::State::kWaiting) {
    if (!TakeRequest(connection)) return;
  }
  if (connection.state != Connection::State::kWriting || !SendReply(connection)) return;
  // In its address's turn: a stream of small requests shall not have the door for itself.
  if (connection.pipelined) {
    QueueStep(connection);
  } else {
    Listen(connection, EPOLLIN);
  }
}

// True if there is something to do next.
bool Door::TakeRequest(Connection& connection) {
  if (!connection.head_done) {
    const HeadScan scan = connection.scanner.Scan(connection.input);
    if (scan.state == HeadScan::State::kIncomplete) {
      Listen(connection, EPOLLIN);
      return false;
    }
    if (scan.state == HeadScan::State::kRefused) {
      (TooLarge(scan.status) ? too_large_ : malformed_).Add();
      Refuse(connection, RefusalResponse(scan.status), false);
      return true;
    }
    Prepare(connection, scan);
    if (connection.state != Connection::State::kWaiting) return true;
  }
  if (!PassGate(connection)) return connection.state == Connection::State::kWriting;
  const size_t drop =
      static_cast<size_t>(std::min<uint64_t>(connection.input.size(), connection.body_left));
  connection.body_left -= drop;
  DropInput(connection, drop);
  if (connection.body_left > 0) {
    Listen(connection, EPOLLIN);
    return false;
  }
  Admit(connection);
  return true;
}

// Keeps of the head what is needed and drops its bytes.
void Door::Prepare(Connection& connection, const HeadScan& scan) {
  const HttpHead& head = scan.head;
  Ticket& ticket = connection.ticket;
  ticket = Ticket{};
  ticket.method = head.method;
  ticket.keep_alive = head.keep_alive;
  connection.head_done = true;
  connection.body_left = head.body_bytes;
  if (!DecodePath(head.target, &ticket.path)) {
    malformed_.Add();
    Refuse(connection, RefusalResponse(400), false);
    return;
  }
  const FieldScan authorization = FindField(head.fields, "authorization");
  connection.authorization = authorization.value;
  connection.repeated_authorization = authorization.times > 1;
  connection.match = parts_.router.Find(head.method, ticket.path, connection.probe);
  ticket.route = connection.match.route;
  if (ticket.route != nullptr) {
    const size_t question = std::min(head.target.find('?'), head.target.size() - 1);
    ticket.query = head.target.substr(question + 1);
    ticket.peer = connection.peer->name;
    connection.engine_request = EngineRequest(head, *ticket.route);
  }
  const bool wants_word = head.expects_continue && connection.input.size() == scan.head_bytes;
  DropInput(connection, scan.head_bytes);
  if (!wants_word) return;
  if (ticket.route == nullptr) {
    ticket.keep_alive = false;  // the body may or may not come: no telling where it ends
    connection.body_left = 0;
  } else {
    // Nothing else is on its way to this client, so the kernel has room for it.
    connection.stream.Write(kContinue, {});
  }
}

// A whole request is there: to a worker, into the queue, or refused.
void Door::Admit(Connection& connection) {
  Ticket& ticket = connection.ticket;
  if (ticket.route == nullptr) {
    HttpResponse response = RefusalResponse(connection.match.status);
    if (!connection.match.allow.empty()) {
      response.headers.emplace_back("Allow", connection.match.allow);
    }
    Refuse(connection, response, ticket.keep_alive);
    return;
  }
  if (!connection.probe && running_ + ready_.size() >= parts_.options.max_requests) {
    too_many_.Add();
    Connection* const other = ready_.Displaceable(*connection.peer);
    Connection& loser = other != nullptr ? *other : connection;
    ready_.Remove(loser);
    Refuse(loser, RefusalResponse(503), loser.ticket.keep_alive);
    if (other == nullptr) return;
    // It goes out when its socket says that it can be written.
    Listen(loser, EPOLLOUT);
  }
  ticket.ready = now_;
  table_.SetState(connection, Connection::State::kQueued, now_);
  SetDeadline(connection, parts_.options.request_timeout);
  Listen(connection, 0);
  ready_.Push(connection);
}

void Door::StartRequests() {
  for (size_t i = 0; i < errands_.size(); ++i) {
    if (errands_[i].done.valid()) continue;
    Connection* const next = ready_.Pop();
    if (next == nullptr) return;
    const auto place = static_cast<uint16_t>(i + 1);
    parts_.handoff.Leave(place, std::move(next->ticket));
    Result<UniqueFd> done = parts_.engine.Hand(next->engine_request, place);
    next->engine_request = std::string();
    if (!done || !Watch(done->get(), kWorkerTag | place)) {
      // Out of descriptors. An errand that was begun ends unheard; its worker finds nobody.
      (void)parts_.handoff.Take(place);
      refused_.Add();
      Refuse(*next, RefusalResponse(503), false);
      Advance(*next);
      continue;
    }
    errands_[i] = Errand{std::move(*done), next->id, next->probe};
    if (!next->probe) ++running_;
    table_.SetState(*next, Connection::State::kRunning, now_);
    next->deadline = SteadyTime::max();  // nothing can cut a handler short
  }
}

void Door::OnWorkerDone(uint16_t place) {
  Errand& errand = errands_[place - 1U];
  // civetweb writes nothing of its own; were it to, it would be dropped here.
  const ssize_t got = recv(errand.done.get(), scratch_.data(), scratch_.size(), MSG_DONTWAIT);
  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return;
  const Errand finished = std::exchange(errand, Errand{});
  if (!finished.probe) --running_;
  std::optional<Reply> reply = parts_.handoff.Collect(place);
  Connection* const connection = table_.Find(finished.connection);
  if (connection == nullptr) return;  // the client has left
  if (reply) {
    StartReply(*connection, std::move(*reply));
  } else {
    Refuse(*connection, RefusalResponse(500), false);
  }
  Advance(*connection);
}

void Door::Refuse(Connection& connection, const HttpResponse& response, bool keep_alive) {
  StartReply(connection,
             parts_.dispatcher.Refuse(response, keep_alive, connection.ticket.method == "HEAD"));
}

void Door::StartReply(Connection& connection, Reply reply) {
  connection.reply = std::move(reply);
  connection.sent = 0;
  unsent_bytes_.Add(connection.reply.head.size() + connection.reply.body_bytes());
  table_.SetState(connection, Connection::State::kWriting, now_);
  SetDeadline(connection, parts_.options.write_timeout);
}

// True if the connection is ready for its next request.
bool Door::SendReply(Connection& connection) {
  const Reply& reply = connection.reply;
  const std::string_view head = reply.head;
  const std::string_view body = reply.body ? std::string_view(*reply.body) : std::string_view();
  while (connection.sent < head.size() + body.size()) {
    const size_t of_head = std::min(connection.sent, head.size());
    const Stream::Outcome wrote =
        connection.stream.Write(head.substr(of_head), body.substr(connection.sent - of_head));
    if (wrote.state == Stream::State::kBlocked) {
      Listen(connection, connection.stream.wants());
      return false;
    }
    if (wrote.state == Stream::State::kClosed) {
      Close(connection);
      return false;
    }
    connection.sent += wrote.bytes;
    unsent_bytes_.Subtract(wrote.bytes);
  }
  const bool keep_alive = reply.keep_alive && !draining_;
  connection.reply = Reply{};
  connection.sent = 0;
  if (keep_alive) {
    AwaitNext(connection);
    return true;
  }
  EndAnswered(connection);
  return false;
}

void Door::AwaitNext(Connection& connection) {
  connection.scanner.Reset();
  connection.head_done = false;
  connection.judged = false;
  connection.authorization = std::string();
  connection.match = Router::Match{};
  connection.ticket = Ticket{};
  connection.idle = connection.input.empty();
  connection.pipelined = !connection.idle;
  table_.SetState(connection, Connection::State::kWaiting, now_);
  SetDeadline(connection, connection.idle ? IdleTime(connection) : parts_.options.request_timeout);
}

void Door::EndAnswered(Connection& connection) {
  if (draining_) {
    Close(connection);
    return;
  }
  DropInput(connection, connection.input.size());
  connection.stream.EndWriting();
  connection.linger_left = kLingerBytes;
  table_.SetState(connection, Connection::State::kLingering, now_);
  SetDeadline(connection, kLingerTime);
  Listen(connection, EPOLLIN);
}

void Door::Listen(Connection& connection, uint32_t events) {
  if (connection.watched == events) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = connection.id;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.stream.fd(), &event);
  connection.watched = events;
}

void Door::SetDeadline(Connection& connection, Duration from_now) {
  connection.deadline = now_ + std::chrono::duration_cast<SteadyTime::duration>(from_now);
  next_deadline_ = std::min(next_deadline_, connection.deadline);
}

void Door::DropInput(Connection& connection, size_t bytes) {
  input_bytes_ -= bytes;
  if (bytes == connection.input.size()) {
    connection.input = std::string();  // gives the memory back: most connections only wait
  } else {
    connection.input.erase(0, bytes);
  }
}

void Door::Close(Connection& connection) {
  if (connection.state == Connection::State::kQueued) ready_.Remove(connection);
  if (connection.due) due_.Remove(connection);
  if (connection.state == Connection::State::kWriting) {
    unsent_bytes_.Subtract(connection.reply.head.size() + connection.reply.body_bytes() -
                           connection.sent);
  }
  input_bytes_ -= connection.input.size();
  table_.Remove(connection);
}

}  // namespace spire_exporter
