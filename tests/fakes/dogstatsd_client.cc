#include "tests/fakes/dogstatsd_client.h"

#include <algorithm>
#include <utility>

#include "tests/fakes/numbers.h"

namespace spire_exporter::fakes {

DatagramSender::DatagramSender(std::unique_ptr<DatagramWriter> writer, const ClientDialect& dialect)
    : writer_(std::move(writer)),
      max_payload_(writer_->is_unix() ? dialect.unix_payload : kUdpPayload),
      max_queue_(writer_->is_unix() ? dialect.unix_queue : kUdpQueue),
      write_timeout_(dialect.write_timeout) {}

bool DatagramSender::TryWrite(const Waiting& waiting) {
  switch (writer_->Write(waiting.datagram)) {
    case DatagramWriter::Outcome::kBlocked:
      return false;
    case DatagramWriter::Outcome::kSent:
      ++counts_.sent;
      counts_.bytes_sent += waiting.datagram.size();
      counts_.lines_sent += waiting.lines;
      return true;
    case DatagramWriter::Outcome::kFailed:
      break;
  }
  ++counts_.dropped_writer;
  counts_.bytes_dropped_writer += waiting.datagram.size();
  counts_.lines_dropped += waiting.lines;
  return true;
}

void DatagramSender::Send(std::string datagram, uint64_t lines, SteadyTime now) {
  Pump(now);
  Waiting waiting{std::move(datagram), lines};
  if (queue_.empty() && TryWrite(waiting)) return;
  // The datagram that the client's sender is writing is no longer in its queue.
  if (queue_.size() > max_queue_) {
    ++counts_.dropped_queue;
    counts_.bytes_dropped_queue += waiting.datagram.size();
    counts_.lines_dropped += waiting.lines;
    return;
  }
  if (queue_.empty()) head_since_ = now;
  queue_.push_back(std::move(waiting));
}

void DatagramSender::Pump(SteadyTime now) {
  while (!queue_.empty()) {
    if (!TryWrite(queue_.front())) {
      // UDP has no deadline: the kernel's buffer drains by itself.
      if (!writer_->is_unix() || now - head_since_ < write_timeout_) return;
      ++counts_.dropped_writer;
      counts_.bytes_dropped_writer += queue_.front().datagram.size();
      counts_.lines_dropped += queue_.front().lines;
    }
    queue_.pop_front();
    head_since_ = now;
  }
}

DogStatsdClient::DogStatsdClient(std::unique_ptr<DatagramWriter> writer,
                                 const ClientDialect& dialect, std::string_view global_tags,
                                 SteadyTime now)
    : dialect_(dialect),
      sender_(std::move(writer), dialect),
      buffers_(dialect.shards),
      next_flush_(now + kFlushInterval),
      next_report_(now + kSelfTelemetryInterval) {
  self_suffix_ = "|c|#";
  if (!global_tags.empty()) self_suffix_.append(global_tags).append(",");
  self_suffix_.append(dialect.client_tags).append(sender_.is_unix() ? "uds" : "udp");
}

void DogStatsdClient::Hand(uint32_t name_hash, std::string_view line, SteadyTime now) {
  ++lines_handed_;
  Write(name_hash, line, now);
}

void DogStatsdClient::Write(uint32_t name_hash, std::string_view line, SteadyTime now) {
  Buffer& buffer = buffers_[name_hash % buffers_.size()];
  const size_t separator = dialect_.final_newline || !buffer.bytes.empty() ? 1 : 0;
  if (buffer.bytes.size() + line.size() + separator > sender_.max_payload()) {
    Flush(buffer, now);
    if (line.size() + (dialect_.final_newline ? 1 : 0) > sender_.max_payload()) return;
  }
  if (!dialect_.final_newline && !buffer.bytes.empty()) buffer.bytes += '\n';
  buffer.bytes += line;
  if (dialect_.final_newline) buffer.bytes += '\n';
  ++buffer.lines;
}

void DogStatsdClient::Flush(Buffer& buffer, SteadyTime now) {
  if (buffer.bytes.empty()) return;
  sender_.Send(std::exchange(buffer.bytes, std::string()), std::exchange(buffer.lines, 0), now);
}

void DogStatsdClient::Report(SteadyTime now) {
  const DatagramCounts counts = sender_.counts();
  const DatagramCounts last = std::exchange(reported_, counts);
  std::string line;
  const auto report = [&](std::string_view name, uint64_t value) {
    line.assign("datadog.dogstatsd.client.").append(name);
    const uint32_t hash = Fnv1a(line);
    line += ':';
    AppendInteger(static_cast<int64_t>(value), &line);
    line += self_suffix_;
    Write(hash, line, now);
  };
  if (dialect_.counts_lines) {
    report("metrics", lines_handed_ - std::exchange(reported_lines_, lines_handed_));
    report("events", 0);
    report("service_checks", 0);
    report("metric_dropped_on_receive", 0);
  }
  const uint64_t queue = counts.dropped_queue - last.dropped_queue;
  const uint64_t queue_bytes = counts.bytes_dropped_queue - last.bytes_dropped_queue;
  const uint64_t writer = counts.dropped_writer - last.dropped_writer;
  const uint64_t writer_bytes = counts.bytes_dropped_writer - last.bytes_dropped_writer;
  report("packets_sent", counts.sent - last.sent);
  report("bytes_sent", counts.bytes_sent - last.bytes_sent);
  report("packets_dropped", queue + writer);
  report("bytes_dropped", queue_bytes + writer_bytes);
  report("packets_dropped_queue", queue);
  report("bytes_dropped_queue", queue_bytes);
  report("packets_dropped_writer", writer);
  report("bytes_dropped_writer", writer_bytes);
}

void DogStatsdClient::Tick(SteadyTime now) {
  sender_.Pump(now);
  if (now >= next_report_) {
    Report(now);
    next_report_ = std::max(next_report_ + kSelfTelemetryInterval, now);
  }
  if (now >= next_flush_) {
    for (Buffer& buffer : buffers_) Flush(buffer, now);
    // Like Go's ticker: ticks that nobody took are dropped, the beat is kept.
    do {
      next_flush_ += kFlushInterval;
    } while (next_flush_ <= now);
  }
}

uint64_t DogStatsdClient::lines_buffered() const {
  uint64_t lines = 0;
  for (const Buffer& buffer : buffers_) lines += buffer.lines;
  return lines;
}

}  // namespace spire_exporter::fakes
