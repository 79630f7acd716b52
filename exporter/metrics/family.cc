#include "exporter/metrics/family.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace spire_exporter {

std::shared_ptr<const LabelSet> MakeLabels(const FamilyDescription& description,
                                           std::span<const std::string_view> values) {
  if (values.size() != description.labels.size()) {
    throw std::logic_error(std::string(description.name) + ": " + std::to_string(values.size()) +
                           " label values for " + std::to_string(description.labels.size()) +
                           " labels");
  }
  std::vector<Label> labels;
  labels.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    labels.push_back({description.labels[i].name, values[i]});
  }
  return LabelSet::Make(labels);
}

size_t FamilyBuilder::FamilyAt(const FamilyDescription& description) {
  const auto [found, added] = names_.try_emplace(description.name, families_.size());
  if (added) {
    families_.push_back(Family{&description, {}});
    indices_.emplace_back();
  }
  return found->second;
}

void FamilyBuilder::Declare(const FamilyDescription& description) {
  FamilyAt(description);
}

void FamilyBuilder::AddSeries(const FamilyDescription& description, Series series) {
  const size_t at = FamilyAt(description);
  std::vector<Series>& all = families_[at].series;
  const auto [found, added] =
      indices_[at].series.try_emplace(series.labels->rendered(), all.size());
  if (added) {
    all.push_back(std::move(series));
    return;
  }
  // The index keeps pointing into the labels that are there, so those stay.
  series.labels = all[found->second].labels;
  all[found->second] = std::move(series);
}

void FamilyBuilder::Add(const FamilyDescription& description,
                        std::initializer_list<std::string_view> values, double value,
                        double created_seconds) {
  AddSeries(description, Series{MakeLabels(description, {values.begin(), values.size()}), value,
                                nullptr, created_seconds});
}

void FamilyBuilder::Add(const FamilyDescription& description,
                        std::initializer_list<std::string_view> values,
                        std::shared_ptr<const HistogramValue> histogram, double created_seconds) {
  AddSeries(description, Series{MakeLabels(description, {values.begin(), values.size()}), 0,
                                std::move(histogram), created_seconds});
}

void FamilyBuilder::AddInfo(const FamilyDescription& description,
                            std::initializer_list<std::string_view> values) {
  Add(description, values, 1);
}

void FamilyBuilder::AddState(const FamilyDescription& description,
                             std::initializer_list<std::string_view> values,
                             std::string_view state) {
  if (description.labels.empty() || description.labels.back().values.empty()) {
    throw std::logic_error(std::string(description.name) +
                           ": a state set needs a closed set of values for its last label");
  }
  std::vector<std::string_view> all(values);
  all.emplace_back();
  for (const std::string_view possible : description.labels.back().values) {
    all.back() = possible;
    AddSeries(description,
              Series{MakeLabels(description, all), possible == state ? 1.0 : 0.0, nullptr, 0});
  }
}

FamilyList FamilyBuilder::Take() {
  indices_.clear();
  names_.clear();
  return std::exchange(families_, {});
}

}  // namespace spire_exporter
