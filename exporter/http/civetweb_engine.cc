#include "exporter/http/civetweb_engine.h"

#include <civetweb.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "exporter/base/text.h"
#include "exporter/http/civetweb_redirect.h"

namespace spire_exporter {
namespace {

// A head of 16 KiB and what the door adds.
constexpr size_t kMaxRequestBytes = 20 * 1024;

Error SocketError(std::string_view what) {
  return Error{.code = Code::kResourceExhausted,
               .what = std::string(what) + ": " + ErrnoText(errno),
               .where = "",
               .retryable = true};
}

// Two ends of a pair; the first is ours and does not block.
Status MakePair(int type, UniqueFd* ours, UniqueFd* theirs) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return SocketError("cannot make a socket pair");
  }
  ours->Reset(ends[0]);
  theirs->Reset(ends[1]);
  return {};
}

}  // namespace

// The C functions that civetweb calls. No exception may leave them.
struct CivetwebEngine::Callbacks {
  static CivetwebEngine& Engine(const mg_connection* connection) {
    return *static_cast<CivetwebEngine*>(mg_get_user_data(mg_get_context(connection)));
  }
  static uint16_t Place(const mg_connection* connection) {
    return static_cast<uint16_t>(mg_get_request_info(connection)->remote_port);
  }

  static int BeginRequest(mg_connection* connection) {
    const mg_request_info* info = mg_get_request_info(connection);
    HttpFields fields;
    fields.reserve(static_cast<size_t>(info->num_headers));
    for (int i = 0; i < info->num_headers; ++i) {
      fields.emplace_back(info->http_headers[i].name, info->http_headers[i].value);
    }
    Engine(connection).sink_.OnRequest(Place(connection), std::move(fields));
    return 200;  // handled: civetweb only closes its end now
  }

  static int HttpError(mg_connection* connection, int, const char*) {
    Engine(connection).sink_.OnBroken(Place(connection));
    return 0;  // civetweb writes no page of its own, which would quote the request
  }

  static int LogMessage(const mg_connection* connection, const char* message) {
    CivetwebEngine& engine = Engine(connection);
    if (engine.logger_.Enabled(LogLevel::kDebug)) {
      engine.logger_.Debug("civetweb says", {{"message", Quoted(message)}});
    }
    return 1;
  }
};

Result<std::unique_ptr<CivetwebEngine>> CivetwebEngine::Start(size_t workers, Sink& sink,
                                                              Logger& logger) {
  std::unique_ptr<CivetwebEngine> engine(new CivetwebEngine(sink, logger));
  UniqueFd theirs;
  const Status pair = MakePair(SOCK_SEQPACKET, &engine->wake_, &theirs);
  if (!pair) return pair.error();

  // civetweb's SpireExporterListen puts `theirs` in the place of its listening socket.
  const std::string threads = std::to_string(workers);
  const std::string wake = std::to_string(theirs.get());
  const std::string bytes = std::to_string(kMaxRequestBytes);
  const char* options[] = {"listening_ports",
                           "127.0.0.1:9",
                           "num_threads",
                           threads.c_str(),
                           "listen_backlog",
                           wake.c_str(),
                           "max_request_size",
                           bytes.c_str(),
                           "request_timeout_ms",
                           "10000",
                           "enable_keep_alive",
                           "no",
                           "enable_auth_domain_check",
                           "no",
                           nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = Callbacks::BeginRequest;
  callbacks.http_error = Callbacks::HttpError;
  callbacks.log_message = Callbacks::LogMessage;
  mg_init_library(0);
  engine->context_ = mg_start(&callbacks, engine.get(), options);
  if (engine->context_ == nullptr) {
    mg_exit_library();
    return Error{.code = Code::kInternal, .what = "cannot start the HTTP workers", .where = ""};
  }
  return engine;
}

CivetwebEngine::~CivetwebEngine() {
  Stop();
}

void CivetwebEngine::Stop() {
  if (context_ == nullptr) return;
  // The master polls for two seconds at a time; the end of the wake socket ends its wait at once.
  wake_.Reset();
  mg_stop(static_cast<mg_context*>(context_));
  context_ = nullptr;
  mg_exit_library();
}

Result<UniqueFd> CivetwebEngine::Hand(std::string_view request, uint16_t place) {
  UniqueFd ours;
  UniqueFd theirs;
  const Status pair = MakePair(SOCK_STREAM, &ours, &theirs);
  if (!pair) return pair.error();
  const ssize_t sent = send(ours.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) return SocketError("cannot pass a request on");
  const SpireExporterHandover handover{theirs.get(), place};
  if (send(wake_.get(), &handover, sizeof(handover), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(sizeof(handover))) {
    return SocketError("cannot wake the HTTP workers");
  }
  theirs.Release();  // civetweb closes it
  return ours;
}

}  // namespace spire_exporter
