#include "collectors/agent/health_judge.h"

#include <cstddef>

namespace spire_exporter::agent {
namespace {

void SkipSpace(std::string_view* text) {
  while (!text->empty() && (text->front() == ' ' || text->front() == '\t' ||
                            text->front() == '\n' || text->front() == '\r')) {
    text->remove_prefix(1);
  }
}

bool SkipOne(std::string_view* text, std::string_view word) {
  SkipSpace(text);
  if (!text->starts_with(word)) return false;
  text->remove_prefix(word.size());
  return true;
}

// Whether it begins as the details of an agent do.
bool IsAgents(std::string_view body) {
  return SkipOne(&body, "{") && SkipOne(&body, "\"agent\"") && SkipOne(&body, ":") &&
         SkipOne(&body, "{");
}

std::string_view StateOf(Code code) {
  switch (code) {
    case Code::kDeadlineExceeded:
      return "timeout";
    case Code::kDataLoss:
    case Code::kResourceExhausted:
    case Code::kUnimplemented:
      return "foreign";
    default:
      return "unreachable";
  }
}

}  // namespace

std::string_view JudgeHealth(const Result<HttpReply>& reply) {
  if (!reply.ok()) return StateOf(reply.error().code);
  if (!IsAgents(reply->body)) return "foreign";
  if (reply->status == 200) return "ok";
  if (reply->status != 500) return "foreign";
  // The key alone: it is what SPIRE promises, its text may change.
  return reply->body.find("\"make_new_x509_err\"") != std::string::npos ? "not_attested"
                                                                        : "failing";
}

}  // namespace spire_exporter::agent
