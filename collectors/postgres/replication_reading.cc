#include "collectors/postgres/replication_reading.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace spire_exporter::postgres {
namespace {

std::optional<std::string> OwnedText(const pg::Row& row, size_t column) {
  const pg::Cell cell = row.Text(column);
  return cell ? std::optional<std::string>(*cell) : std::nullopt;
}

// Eight hexadecimal digits, as a log file's name begins.
std::optional<int64_t> Timeline(const std::optional<std::string>& text) {
  if (!text || text->size() != 8) return std::nullopt;
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + 8, value, 16);
  if (error != std::errc() || end != text->data() + 8) return std::nullopt;
  return value;
}

Result<PositionReading> ReadPosition(pg::Connection& connection, const Clock& clock) {
  PositionReading reading;
  reading.asked = clock.Steady();
  const Result<pg::Rows> rows = connection.Query("read the position", PositionStatement());
  reading.answered = clock.Steady();
  if (!rows) return rows.error();
  const std::optional<bool> in_recovery = rows->Bool(0);
  const std::optional<int64_t> started = rows->Int(1);
  if (!in_recovery || !started) {
    return Error{Code::kDataLoss, "read the position: not what PostgreSQL answers", "", true};
  }
  reading.in_recovery = *in_recovery;
  reading.started_us = *started;
  reading.flushed = rows->Lsn(2);
  reading.timeline = Timeline(rows->Text(3));
  if (!reading.in_recovery) return reading;
  reading.received = rows->Lsn(4);
  reading.replayed = rows->Lsn(5);
  reading.paused = rows->Bool(6);
  reading.commit_age = rows->Double(7);
  if (rows->Bool(8) == true) {
    reading.receiver =
        ReceiverReading{rows->Text(9), rows->Int(10), rows->Lsn(11), rows->Double(12)};
  }
  return reading;
}

Result<IdentityReading> ReadIdentity(pg::Connection& connection, bool in_recovery) {
  const Result<pg::Rows> rows = connection.Query("read the control file", IdentityStatement());
  if (!rows) return rows.error();
  IdentityReading reading;
  reading.system = rows->Int(0);
  if (in_recovery && rows->Int(1)) {
    reading.timeline_at_least = std::max(*rows->Int(1), rows->Int(2).value_or(0));
  }
  return reading;
}

SlotReading ReadSlot(const pg::Row& row, size_t first) {
  SlotReading slot;
  slot.name = row.TextOr(first, "");
  slot.logical = row.Bool(first + 1).value_or(false);
  slot.active = row.Bool(first + 2).value_or(false);
  slot.restart = row.Lsn(first + 3);
  slot.wal_status = OwnedText(row, first + 4);
  slot.safe_wal_size = row.Int(first + 5);
  slot.conflicting = row.Bool(first + 6);
  slot.inactive_since = row.Double(first + 7);
  slot.invalidation_reason = OwnedText(row, first + 8);
  return slot;
}

Result<SurroundingsReading> ReadSurroundings(pg::Connection& connection) {
  const Result<pg::Rows> rows = connection.Query("read senders, conflicts and slots",
                                                 SurroundingsStatement(connection.version()));
  if (!rows) return rows.error();
  SurroundingsReading reading;
  size_t column = 0;
  const int64_t all = rows->Int(column++).value_or(0);
  const int64_t shown = rows->Int(column++).value_or(0);
  SendersReading senders;
  int64_t named = 0;
  for (size_t i = 0; i + 1 < kSenderStates.size(); ++i) {
    senders.by_state[i] = rows->Int(column++).value_or(0);
    named += senders.by_state[i];
  }
  senders.by_state.back() = shown - named;
  for (int64_t& count : senders.by_sync) count = rows->Int(column++).value_or(0);
  senders.reply_age_max = rows->Double(column++);
  if (shown == all) reading.senders = senders;
  for (std::optional<int64_t>& count : reading.conflicts) count = rows->Int(column++);
  reading.slots_total = rows->Int(column++).value_or(0);
  rows->ForEach([&](const pg::Row& row) {
    if (row.Text(column) && reading.slots.size() < SurroundingsReading::kSlotsMax) {
      reading.slots.push_back(ReadSlot(row, column));
    }
  });
  return reading;
}

Result<SettingsReading> ReadSettings(pg::Connection& connection) {
  const Result<pg::Rows> rows = connection.Query("read the settings", SettingsStatement());
  if (!rows) return rows.error();
  SettingsReading reading;
  reading.receiver_timeout = rows->Double(0);
  reading.sender_timeout = rows->Double(1);
  reading.synchronous = rows->Bool(2).value_or(false);
  reading.read_only = rows->Bool(3);
  reading.may_read_stats = rows->Bool(4).value_or(false);
  return reading;
}

// Keeps what was read, or the first problem.
template <typename T>
void Take(Result<T> result, std::optional<T>* value, Status* problem) {
  if (result.ok()) {
    *value = std::move(*result);
  } else if (problem->ok()) {
    *problem = result.error();
  }
}

}  // namespace

Result<NodeReading> ReadNode(pg::Connection& connection, const ReadPlan& plan, const Clock& clock) {
  Result<PositionReading> position = ReadPosition(connection, clock);
  if (!position) return position.error();
  NodeReading reading;
  reading.version = connection.version();
  reading.position = std::move(*position);
  const bool in_recovery = reading.position.in_recovery;
  const bool met =
      plan.started_us == reading.position.started_us && plan.in_recovery == in_recovery;
  if (plan.identity || !met) {
    Take(ReadIdentity(connection, in_recovery), &reading.identity, &reading.problem);
  }
  if (plan.settings || !met) {
    Take(ReadSettings(connection), &reading.settings, &reading.problem);
  }
  if (plan.surroundings || !met) {
    Take(ReadSurroundings(connection), &reading.surroundings, &reading.problem);
  }
  return reading;
}

}  // namespace spire_exporter::postgres
