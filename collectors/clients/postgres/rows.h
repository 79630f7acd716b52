// What a statement brought back: text cells, read as the type that the caller knows them to be.
#ifndef COLLECTORS_CLIENTS_POSTGRES_ROWS_H_
#define COLLECTORS_CLIENTS_POSTGRES_ROWS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spire_exporter::pg {

// A cell as PostgreSQL's text format has it; nothing for NULL.
using Cell = std::optional<std::string_view>;

// One row, by column in the order of the statement. Valid for as long as what it was taken from; a
// column beyond the last reads as NULL. A cell that is not of the type asked for reads as nothing,
// like NULL, so that a server of another kind cannot make up a number.
class Row {
 public:
  explicit Row(std::span<const Cell> cells) : cells_(cells) {}

  size_t size() const { return cells_.size(); }
  Cell Text(size_t column) const { return column < cells_.size() ? cells_[column] : Cell(); }
  std::string TextOr(size_t column, std::string_view otherwise) const;
  std::optional<int64_t> Int(size_t column) const;
  // `Infinity`, `-Infinity` and `NaN` are values of PostgreSQL's and read as such.
  std::optional<double> Double(size_t column) const;
  std::optional<bool> Bool(size_t column) const;  // t, f, true, false
  // A position in the log, `16/B374D848`, as bytes from its beginning.
  std::optional<uint64_t> Lsn(size_t column) const;

 private:
  std::span<const Cell> cells_;
};

std::optional<uint64_t> ParseLsn(std::string_view text);

// A small result, owned. Movable and copyable; rows point into it.
class Rows {
 public:
  explicit Rows(size_t columns) : columns_(columns) {}

  void Add(const Row& row);
  size_t size() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  bool empty() const { return size() == 0; }
  // Calls `visit(const Row&)` for each, in order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    std::vector<Cell> views(columns_);
    for (size_t row = 0; row < size(); ++row) {
      visit(At(row, views));
    }
  }
  // The first row as values, for statements that give one: NULL where there is none.
  std::optional<std::string> Text(size_t column) const;
  std::optional<int64_t> Int(size_t column) const;
  std::optional<double> Double(size_t column) const;
  std::optional<bool> Bool(size_t column) const;
  std::optional<uint64_t> Lsn(size_t column) const;

 private:
  Row At(size_t row, std::vector<Cell>& views) const;
  template <typename Read>
  auto First(Read read) const;

  size_t columns_;
  std::vector<std::optional<std::string>> cells_;
};

}  // namespace spire_exporter::pg

#endif  // COLLECTORS_CLIENTS_POSTGRES_ROWS_H_
