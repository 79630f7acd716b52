#include "collectors/datastore/restore_watch.h"

namespace spire_exporter::datastore {

void RestoreWatch::Begin(SystemTime now) {
  look_ = now;
}

bool RestoreWatch::Note(std::string_view sign, std::optional<int64_t> value) {
  if (!value) return false;
  const auto [mark, fresh] = highest_.emplace(std::string(sign), *value);
  const bool fell = !fresh && *value < mark->second;
  mark->second = *value;
  if (fell && (!last_rewind_ || look_ - *last_rewind_ > kOneRestore)) {
    ++rewinds_;
    last_rewind_ = look_;
  }
  return fell;
}

void RestoreWatch::NoteTables(bool there, std::optional<bool> filled) {
  there_ = there;
  ever_there_ = ever_there_ || there;
  if (!there) {
    filled_ = false;
  } else if (filled) {
    filled_ = *filled;
  }
  ever_filled_ = ever_filled_ || (there && filled.value_or(false));
}

std::string_view RestoreWatch::Condition(SystemTime now) const {
  if (!there_) return ever_there_ ? "emptied" : "no_tables";
  if (!filled_) return ever_filled_ ? "emptied" : "empty";
  if (last_rewind_ && now - *last_rewind_ < kSaidFor) return "restored";
  return "normal";
}

}  // namespace spire_exporter::datastore
