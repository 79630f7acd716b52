#include "exporter/http/dispatcher.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "exporter/http/http_head.h"
#include "exporter/http/reply.h"

namespace spire_exporter {
namespace {

HttpFields ParseQuery(std::string_view query) {
  HttpFields pairs;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(DecodeQueryPart(pair.substr(0, equals)),
                       DecodeQueryPart(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return pairs;
}

}  // namespace

HttpResponse Dispatcher::Run(const Ticket& ticket, HttpFields fields) {
  HttpRequest request;
  request.method = ticket.method;
  request.path = ticket.path;
  request.query = ParseQuery(ticket.query);
  request.headers = std::move(fields);
  request.peer = ticket.peer;
  std::string what = "something that is no std::exception";
  try {
    return ticket.route->handler->Handle(request);
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {  // `what` says so
  }
  logger_.Error("a request handler failed", {{"handler", ticket.route->label}, {"error", what}});
  return RefusalResponse(500);
}

Reply Dispatcher::Render(const HttpResponse& response, bool keep_alive, bool head_only) const {
  return RenderReply(response, {.keep_alive = keep_alive,
                                .head_only = head_only,
                                .now = clock_.System(),
                                .headers = gate_ != nullptr ? gate_->Headers() : HttpFields()});
}

void Dispatcher::Record(std::string_view label, const Reply& reply, Duration duration) {
  if (observer_ == nullptr) return;
  observer_->OnRequest({.label = label,
                        .status = reply.status,
                        .duration = duration,
                        .body_bytes = reply.body_bytes()});
}

void Dispatcher::OnRequest(uint16_t place, HttpFields fields) {
  const std::optional<Ticket> ticket = handoff_.Take(place);
  if (!ticket) return;
  Reply reply =
      Render(Run(*ticket, std::move(fields)), ticket->keep_alive, ticket->method == "HEAD");
  Record(ticket->route->label, reply, clock_.Steady() - ticket->ready);
  handoff_.Answer(place, std::move(reply));
}

void Dispatcher::OnBroken(uint16_t place) {
  const std::optional<Ticket> ticket = handoff_.Take(place);
  if (!ticket) return;
  // The door has checked the request, so this is a difference of opinion between it and civetweb.
  logger_.Error("civetweb refused a request that the door let in",
                {{"handler", ticket->route->label}});
  Reply reply = Render(RefusalResponse(500), ticket->keep_alive, ticket->method == "HEAD");
  Record(ticket->route->label, reply, clock_.Steady() - ticket->ready);
  handoff_.Answer(place, std::move(reply));
}

Reply Dispatcher::Refuse(const HttpResponse& response, bool keep_alive, bool head_only) {
  Reply reply = Render(response, keep_alive, head_only);
  Record("none", reply, Duration::zero());
  return reply;
}

}  // namespace spire_exporter
