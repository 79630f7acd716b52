#include "collectors/clients/postgres/rows.h"

#include <charconv>

namespace spire_exporter::pg {
namespace {

template <typename T>
std::optional<T> Number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string Row::TextOr(size_t column, std::string_view otherwise) const {
  return std::string(Text(column).value_or(otherwise));
}

std::optional<int64_t> Row::Int(size_t column) const {
  const Cell cell = Text(column);
  return cell ? Number<int64_t>(*cell) : std::nullopt;
}

std::optional<double> Row::Double(size_t column) const {
  const Cell cell = Text(column);
  return cell ? Number<double>(*cell) : std::nullopt;
}

std::optional<bool> Row::Bool(size_t column) const {
  const Cell cell = Text(column);
  if (!cell) return std::nullopt;
  if (*cell == "t" || *cell == "true") return true;
  if (*cell == "f" || *cell == "false") return false;
  return std::nullopt;
}

std::optional<uint64_t> Row::Lsn(size_t column) const {
  const Cell cell = Text(column);
  return cell ? ParseLsn(*cell) : std::nullopt;
}

std::optional<uint64_t> ParseLsn(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto half = [](std::string_view part) -> std::optional<uint64_t> {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, 16);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    return value;
  };
  const auto high = half(text.substr(0, slash));
  const auto low = half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return (*high << 32) | *low;
}

void Rows::Add(const Row& row) {
  for (size_t column = 0; column < columns_; ++column) {
    const Cell cell = row.Text(column);
    cells_.push_back(cell ? std::optional<std::string>(*cell) : std::nullopt);
  }
}

Row Rows::At(size_t row, std::vector<Cell>& views) const {
  for (size_t column = 0; column < columns_; ++column) {
    const std::optional<std::string>& cell = cells_[row * columns_ + column];
    views[column] = cell ? Cell(*cell) : Cell();
  }
  return Row(views);
}

template <typename Read>
auto Rows::First(Read read) const {
  std::vector<Cell> views(columns_);
  return empty() ? read(Row({})) : read(At(0, views));
}

std::optional<std::string> Rows::Text(size_t column) const {
  return First([column](const Row& row) -> std::optional<std::string> {
    const Cell cell = row.Text(column);
    return cell ? std::optional<std::string>(*cell) : std::nullopt;
  });
}
std::optional<int64_t> Rows::Int(size_t column) const {
  return First([column](const Row& row) { return row.Int(column); });
}
std::optional<double> Rows::Double(size_t column) const {
  return First([column](const Row& row) { return row.Double(column); });
}
std::optional<bool> Rows::Bool(size_t column) const {
  return First([column](const Row& row) { return row.Bool(column); });
}
std::optional<uint64_t> Rows::Lsn(size_t column) const {
  return First([column](const Row& row) { return row.Lsn(column); });
}

}  // namespace spire_exporter::pg
