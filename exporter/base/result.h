// Expected failures as values. An Error says what kind of failure it was, what was being attempted
// and where; a Result<T> holds either a T or an Error. Exceptions of third-party libraries end at
// the package that uses them.
#ifndef EXPORTER_BASE_RESULT_H_
#define EXPORTER_BASE_RESULT_H_

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace spire_exporter {

// The kinds of failure, numbered like gRPC's canonical codes so that they translate without a
// table.
enum class Code {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// The value of the `reason` label for a code: lower_snake_case, from a closed set.
std::string_view CodeName(Code code);

struct [[nodiscard]] Error {
  Code code = Code::kUnknown;
  // What was attempted and what went wrong, as one line for a person; no secret and no SPIFFE ID.
  std::string what;
  // `file:line:column` for input that a person wrote, else empty.
  std::string where;
  // Whether the same attempt may succeed later without anybody changing anything.
  bool retryable = false;

  // `where: what`, or `what` alone.
  std::string ToString() const;
};

// Value type. Using the value of a failed Result, or the error of a good one, is a bug and
// throws std::bad_variant_access.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& { return std::get<0>(state_); }
  T& value() & { return std::get<0>(state_); }
  T&& value() && { return std::move(std::get<0>(state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::move(std::get<1>(state_)); }

 private:
  std::variant<T, Error> state_;
};

// A Result without a value: success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT: implicit by design

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(failed_);
    return error_;
  }

 private:
  Error error_;
  bool failed_ = false;
};

using Status = Result<void>;

}  // namespace spire_exporter

#endif  // EXPORTER_BASE_RESULT_H_
