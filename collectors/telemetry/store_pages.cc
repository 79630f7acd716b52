// The store's other half: the scrape's pages, and what is shown.
#include <cmath>

#include "collectors/telemetry/store.h"

namespace spire_exporter::telemetry {
namespace {

// A series rests around a page when the stream has not told of it since this long before.
constexpr Duration kRest = std::chrono::milliseconds(300);
// SPIRE's summaries remember ten seconds in five steps, so at least eight.
constexpr Duration kQuantileWindow = std::chrono::seconds(8);

Totals Published(const StreamSeries& series) {
  if (series.histogram == nullptr) return {series.value, 0};
  return {static_cast<double>(series.histogram->count()), series.histogram->sum()};
}

}  // namespace

PageContext Store::ReadPage(const PreparedPage& page, std::vector<StreamSeries*>* series) {
  PageContext context;
  context.first_page = !page_asked_;
  std::optional<double> uptime;
  series->reserve(page.series.size());
  for (const PreparedSeries& shown : page.series) {
    const bool total = !shown.value.has_value() && shown.effect != Effect::kSet &&
                       shown.effect != Effect::kHeartbeat;
    StreamSeries* const found = SeriesFor(*shown.family, shown.labels, total, shown.known);
    series->push_back(found);
    if (shown.effect == Effect::kHeartbeat && shown.value) uptime = shown.value;
    if (found != nullptr && found->merge != nullptr) {
      context.restarted |= found->merge->Fell(shown.totals);
    }
  }
  if (uptime) {
    if (page_uptime_ && *uptime < *page_uptime_) context.restarted = true;
    // The uptime on a page is up to one heartbeat old, which makes a start look late: events of
    // that little time before ours may then be counted.
    const auto lived = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*uptime));
    context.started_after_us = page.asked - lived >= started_;
    page_uptime_ = uptime;
  }
  context.stream_covers = !gap_ && page_asked_ && stream_last_ &&
                          stream_alive_since_ <= *page_asked_ &&
                          page.received - *stream_last_ <= kStreamSilence;
  context.stream_spoke = page_applied_ && stream_last_ && *stream_last_ > *page_applied_;
  return context;
}

void Store::ApplyPage(const PreparedPage& page) {
  std::vector<StreamSeries*> series;
  const PageContext context = ReadPage(page, &series);
  if (context.restarted) {
    ++page_restarts_;
    for (const std::unique_ptr<FamilyGroup>& group : groups_) {
      for (const std::unique_ptr<StreamSeries>& each : group->series) {
        if (each->merge != nullptr) each->merge->SourceRestarted();
      }
    }
  }
  ++pages_;
  for (size_t i = 0; i < page.series.size(); ++i) {
    if (series[i] == nullptr) continue;
    series[i]->page_last = pages_;
    if (series[i]->cumulative) {
      ApplyTotals(*series[i], page.series[i], context, page.asked);
    } else {
      ApplyState(*series[i], page.series[i], page.asked);
    }
  }
  page_asked_ = page.asked;
  page_received_ = page.received;
  page_applied_ = clock_.Steady();
  gap_ = false;
}

void Store::ApplyTotals(StreamSeries& series, const PreparedSeries& shown, const PageContext& page,
                        SteadyTime asked) {
  const bool first = series.merge == nullptr;
  if (first) series.merge = std::make_unique<SourceMerge>();
  const Totals published = Published(series);
  const bool settled = series.stream_last < asked - kRest;
  const Totals add = series.merge->OnPage(shown.totals, published, page, settled);
  if (page.stream_covers && !first) {
    stream_events_ += published.count - series.published_at_page;
    page_events_ += series.merge->rise();
  }
  if (add.count > 0) {
    if (series.histogram != nullptr) {
      AddObservations(series, shown, add, asked);
    } else {
      series.value += add.count;
    }
    series.dirty = true;
  }
  if (!series.present && first) {
    // Counted since the page before, or since we are here.
    const Duration since = page_asked_ ? clock_.Steady() - *page_asked_ : Duration::zero();
    series.created_seconds =
        page_asked_ ? UnixSeconds(clock_.System()) - Seconds(since) : started_seconds_;
  }
  // Its source is alive, so zero is known.
  series.present = true;
  series.published_at_page = published.count + add.count;
}

void Store::AddObservations(StreamSeries& series, const PreparedSeries& shown, const Totals& add,
                            SteadyTime asked) {
  SummaryStep step;
  step.count = static_cast<uint64_t>(std::llround(add.count));
  if (step.count == 0) return;
  step.sum = add.sum;
  step.scale = shown.scale;
  step.error = StepError(shown.totals.sum, series.merge->rise(), shown.members);
  // At a hand-over the stream has told some of the step, or has missed some of steps before.
  const bool whole = add.count == series.merge->rise();
  // The page's own step, without what a hand-over may have left in the sums.
  if (step.count == 1 && whole) step.sum = series.merge->sum_rise();
  const bool in_window = page_asked_ && asked - *page_asked_ <= kQuantileWindow;
  const double before = series.histogram->sum();
  Placement placement = Placement::kUnplaced;
  if (!whole) {
    series.histogram->AddUnplaced(step.count, add.sum);
  } else {
    placement = PlaceStep(step, in_window ? shown.quantiles : kNoQuantiles, series.histogram.get());
  }
  scraped_[static_cast<size_t>(placement)] += step.count;
  // Rounding does not add up: what is short of the page's sum is added to the sum alone.
  const double left = before + add.sum - series.histogram->sum();
  if (left > 0) series.histogram->AddUnplaced(0, left);
}

void Store::ApplyState(StreamSeries& series, const PreparedSeries& shown, SteadyTime asked) {
  if (series.stream_last > asked) return;
  if (!shown.value) {
    series.present = false;
    return;
  }
  SetState(series, *shown.value);
  series.present = true;
}

bool Store::Visible(const StreamSeries& series, SteadyTime now) const {
  if (!series.present) return false;
  if (series.cumulative || series.family->when_stale == WhenStale::kKept) return true;
  const Duration age_max = series.family->age_max;
  const bool page_alive =
      page_received_ && now - *page_received_ <= std::max(age_max, options_.page_age_max);
  // SPIRE shows every state it ever set; one that is missing was set by a process that is gone.
  if (page_alive && series.page_last != pages_ && series.stream_last < *page_asked_) return false;
  if (page_alive && series.page_last == pages_) return true;
  // Some states are told once and hold for as long as their teller lives.
  return series.stream_last >= states_from_ && series.stream_last != SteadyTime::min() &&
         stream_last_ && now - *stream_last_ <= age_max;
}

void Store::Freeze(SteadyTime now, FrozenStore* frozen) {
  frozen->groups.clear();
  frozen->series.clear();
  frozen->histograms.Clear();
  frozen->state = BareState();
  for (const std::unique_ptr<FamilyGroup>& group : groups_) {
    const size_t begin = frozen->series.size();
    for (const std::unique_ptr<StreamSeries>& each : group->series) {
      StreamSeries& series = *each;
      AddEvents(series, &frozen->state);
      if (!Visible(series, now)) continue;
      uint32_t histogram = FrozenStore::kUnchanged;
      if (series.histogram != nullptr && series.dirty) {
        histogram = static_cast<uint32_t>(frozen->histograms.size());
        frozen->histograms.Add(*series.histogram);
        CountBytes(series);
      }
      series.dirty = false;
      frozen->series.push_back({&series, series.value, series.created_seconds, histogram});
    }
    if (frozen->series.size() > begin) {
      frozen->groups.push_back({group->family, frozen->series.size()});
    }
  }
}

void Store::ForgetFrozen() {
  for (const std::unique_ptr<FamilyGroup>& group : groups_) {
    for (const std::unique_ptr<StreamSeries>& each : group->series) each->dirty = true;
  }
}

void Store::AppendFamilies(SteadyTime now, FamilyList* families) {
  Freeze(now, &own_frozen_);
  own_maker_.Append(own_frozen_, families);
}

StoreState Store::BareState() const {
  StoreState state;
  state.series = series_;
  state.bytes = series_bytes_ + memo_.bytes();
  state.page_restarts = page_restarts_;
  state.stream_last = stream_last_;
  state.page_last = page_received_;
  state.stream_events = stream_events_;
  state.page_events = page_events_;
  state.scraped = scraped_;
  return state;
}

void Store::AddEvents(const StreamSeries& series, StoreState* state) {
  if (series.counter_events == 0) return;
  state->timer_events += series.timer_events;
  state->counter_events += series.counter_events;
}

StoreState Store::State() const {
  StoreState state = BareState();
  for (const std::unique_ptr<FamilyGroup>& group : groups_) {
    for (const std::unique_ptr<StreamSeries>& series : group->series) AddEvents(*series, &state);
  }
  return state;
}

}  // namespace spire_exporter::telemetry
