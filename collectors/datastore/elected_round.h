// One round of the elected reader: part after part on the node that was chosen, and on the primary
// from the first part that the standby could not answer.
#ifndef COLLECTORS_DATASTORE_ELECTED_ROUND_H_
#define COLLECTORS_DATASTORE_ELECTED_ROUND_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "collectors/clients/postgres/ask.h"
#include "collectors/datastore/schema.h"
#include "exporter/collect/collector.h"

namespace spire_exporter::datastore {

// Of one Collect(). `fallback` may be the node itself, or nothing when there is to be none.
class ElectedRound {
 public:
  ElectedRound(const CollectContext& context, Duration statement_timeout, pg::Node node,
               std::optional<pg::Node> fallback)
      : context_(context),
        statement_timeout_(statement_timeout),
        node_(std::move(node)),
        fallback_(std::move(fallback)) {}

  // The columns, asked before the first part. On a failure all parts are it.
  Status ReadColumns() {
    auto schema = Ask<Schema>(&ReadSchema);
    if (!schema.ok()) {
      broken_ = std::move(schema).error();
      return broken_;
    }
    schema_ = std::make_shared<const Schema>(*std::move(schema));
    return {};
  }

  // One part as a job of its own. `read` keeps nothing by reference.
  template <typename T>
  Result<T> Part(std::function<Result<T>(pg::Connection&, const Schema&)> read) {
    if (!broken_.ok()) return broken_.error();
    Result<T> result =
        Ask<T>([schema = schema_, read = std::move(read)](pg::Connection& connection) {
          return read(connection, *schema);
        });
    if (result.ok()) {
      any_ = true;
    } else if (problem_.ok() && MayPass(result.error())) {
      problem_ = result.error();
    }
    return result;
  }

  const std::string& node() const { return node_.name; }
  bool any() const { return any_; }  // whether a part was read
  // The first failure that may pass.
  Status problem() const { return broken_.ok() ? problem_ : broken_; }

 private:
  template <typename T>
  Result<T> Ask(const std::function<Result<T>(pg::Connection&)>& read) {
    Result<T> result = AskNode<T>(read);
    if (!result.ok() && fallback_ && MayPass(result.error())) {
      node_ = *std::exchange(fallback_, std::nullopt);
      result = AskNode<T>(read);
    }
    return result;
  }
  template <typename T>
  Result<T> AskNode(const std::function<Result<T>(pg::Connection&)>& read) {
    return pg::Ask<T>(node_, {context_.deadline, statement_timeout_}, context_.stop, read);
  }

  const CollectContext& context_;
  const Duration statement_timeout_;
  pg::Node node_;
  std::optional<pg::Node> fallback_;
  std::shared_ptr<const Schema> schema_;
  Status broken_;
  Status problem_;
  bool any_ = false;
};

}  // namespace spire_exporter::datastore

#endif  // COLLECTORS_DATASTORE_ELECTED_ROUND_H_
