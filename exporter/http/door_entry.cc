// Coming in: turns, TLS handshakes, and the question to the gate; the loop around it is in door.cc.
#include <sys/epoll.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/http/door.h"

namespace spire_exporter {
namespace {

// Steps in one turn of the loop: a part of a handshake, which may cost a signature, or a read and
// at most one request. Each is another address's: a flood from one gets one step a turn, and what
// others want comes in between.
constexpr size_t kStepsPerTurn = 4;

// For a client that does not speak TLS, so that a person sees why.
constexpr std::string_view kPlainHttpAnswer =
    "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: "
    "close\r\n\r\n"
    "This port speaks HTTPS.\n";

constexpr const char* kNoLongerTrusted =
    "403 the client's certificate has ended, or its root is no longer trusted\n";

}  // namespace

void Door::QueueStep(Connection& connection) {
  if (connection.due) return;
  connection.due = true;
  Listen(connection, 0);  // until its turn: what is readable would wake the loop all the time
  due_.Push(connection);
}

void Door::StepDue() {
  // Each for another address, as the one that had its turn goes to the end.
  const size_t steps = std::min(kStepsPerTurn, due_.addresses().size());
  for (size_t i = 0; i < steps; ++i) {
    Connection& connection = *due_.Pop();
    connection.due = false;
    if (connection.stream.handshaking()) {
      StepHandshake(connection);
    } else {
      StepInput(connection);
    }
  }
}

void Door::StepHandshake(Connection& connection) {
  switch (connection.stream.Handshake()) {
    case Stream::Greeting::kDone:
      Listen(connection, EPOLLIN);
      return;
    case Stream::Greeting::kBlocked:
      Listen(connection, connection.stream.wants());
      return;
    case Stream::Greeting::kPlainHttp:
      tls_failed_.Add();
      // A fresh socket takes this much, and if not: it was only a courtesy.
      connection.stream.Write(kPlainHttpAnswer, {});
      EndAnswered(connection);
      return;
    case Stream::Greeting::kFailed:
      tls_failed_.Add();
      Close(connection);
      return;
  }
}

// True if the request may go on. Else it has been refused, or waits for the gate's word.
bool Door::PassGate(Connection& connection) {
  if (connection.judged) return true;
  if (!connection.stream.StillTrusted()) {
    denied_.Add();
    connection.parked = false;
    HttpResponse response = HttpResponse::Text(403, kNoLongerTrusted);
    response.headers.emplace_back("Cache-Control", "no-store");
    Refuse(connection, response, false);
    return false;
  }
  if (connection.probe || parts_.options.gate == nullptr) {
    connection.judged = true;
    return true;
  }
  HttpGate::Verdict verdict =
      parts_.options.gate->Judge({.peer = connection.peer->key,
                                  .authorization = connection.authorization,
                                  .repeated_authorization = connection.repeated_authorization,
                                  .certificate = connection.stream.peer_certificate(),
                                  .connection = connection.id,
                                  .first_time = !connection.parked});
  switch (verdict.kind) {
    case HttpGate::Verdict::Kind::kLater:
      connection.parked = true;
      Listen(connection, 0);
      return false;
    case HttpGate::Verdict::Kind::kAdmit:
      connection.parked = false;
      connection.judged = true;
      connection.authorization = std::string();
      return true;
    case HttpGate::Verdict::Kind::kRefuse:
      break;
  }
  denied_.Add();
  connection.parked = false;
  // A body that was not read would be taken for the next request.
  Refuse(connection, verdict.response, connection.ticket.keep_alive && connection.body_left == 0);
  return false;
}

// Closed before its client's certificate ends rather than after: who then asks on a new connection
// shows a new one, and no request is refused.
Duration Door::IdleTime(const Connection& connection) const {
  const PeerCertificate* const shown = connection.stream.peer_certificate();
  if (shown == nullptr || !shown->verified) return parts_.options.idle_timeout;
  const std::chrono::duration<double> left(shown->not_after_seconds -
                                           UnixSeconds(parts_.clock.System()));
  if (left >= parts_.options.idle_timeout) return parts_.options.idle_timeout;
  return std::chrono::duration_cast<Duration>(std::max(left, std::chrono::duration<double>(0)));
}

void Door::OnGateReady() {
  for (const uint64_t id : parts_.options.gate->TakeReady()) {
    Connection* const connection = table_.Find(id);
    if (connection != nullptr && connection->parked) Advance(*connection);
  }
}

}  // namespace spire_exporter
