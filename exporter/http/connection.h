// One client's connection as the door keeps it. All of it belongs to the door's thread.
#ifndef EXPORTER_HTTP_CONNECTION_H_
#define EXPORTER_HTTP_CONNECTION_H_

#include <cstdint>
#include <list>
#include <string>

#include "exporter/base/clock.h"
#include "exporter/http/handoff.h"
#include "exporter/http/http_head.h"
#include "exporter/http/reply.h"
#include "exporter/http/router.h"
#include "exporter/http/stream.h"

namespace spire_exporter {

struct Connection;

// Everybody behind one address.
struct Peer {
  std::string key;   // what counts as one address
  std::string name;  // for debug logs
  size_t open = 0;
  // Of its connections: what waits for a worker, and what waits for its next step at the door.
  std::list<Connection*> ready, due;
};

struct Connection {
  enum class State : uint8_t {
    kWaiting,    // for (the rest of) a request
    kQueued,     // request complete, no worker free
    kRunning,    // a worker has it
    kWriting,    // the answer is on its way
    kLingering,  // answered and half closed: the peer shall see the answer before the reset
  };

  explicit Connection(const HeadLimits& limits) : scanner(limits) {}

  uint64_t id = 0;  // slot, generation above it; below 2^62, not reused for 2^30 connections
  Stream stream;
  Peer* peer = nullptr;
  bool probe = false;  // came through a probe listener
  State state = State::kWaiting;
  uint32_t watched = 0;  // epoll events asked for
  SteadyTime since;      // when it entered its state
  SteadyTime deadline;

  // kWaiting
  bool due = false;        // in line for a step of its handshake or for its next request
  bool idle = false;       // between two requests: nothing of the next one has come
  bool pipelined = false;  // between two requests: `input` may hold the next one
  std::string input;
  HeadScanner scanner;
  bool head_done = false;
  uint64_t body_left = 0;

  // Between the end of the head and the gate's word
  bool judged = false;
  bool parked = false;  // its turn comes when the gate names it
  std::string authorization;
  bool repeated_authorization = false;

  // From the end of the head on
  Router::Match match;
  Ticket ticket;
  std::string engine_request;

  // kWriting
  Reply reply;
  size_t sent = 0;

  // kLingering
  size_t linger_left = 0;
};

}  // namespace spire_exporter

#endif  // EXPORTER_HTTP_CONNECTION_H_
