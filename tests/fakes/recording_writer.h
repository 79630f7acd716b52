// A socket that keeps what is written, for tests.
#ifndef TESTS_FAKES_RECORDING_WRITER_H_
#define TESTS_FAKES_RECORDING_WRITER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/base/clock.h"
#include "tests/fakes/datagram_writer.h"
#include "tests/fakes/simulator.h"

namespace spire_exporter::fakes {

// What was written, and what the next writes do. Outlives the writers that report to it.
struct Recording {
  struct Datagram {
    double seconds;  // of the steady clock
    std::string bytes;
  };
  std::vector<Datagram> datagrams;
  DatagramWriter::Outcome outcome = DatagramWriter::Outcome::kSent;
};

class RecordingWriter final : public DatagramWriter {
 public:
  RecordingWriter(Recording* recording, const Clock& clock, bool is_unix)
      : recording_(*recording), clock_(clock), is_unix_(is_unix) {}

  Outcome Write(std::string_view datagram) override {
    if (recording_.outcome == Outcome::kSent) {
      recording_.datagrams.push_back(
          {Seconds(clock_.Steady().time_since_epoch()), std::string(datagram)});
    }
    return recording_.outcome;
  }
  int fd() const override { return -1; }
  bool is_unix() const override { return is_unix_; }

 private:
  Recording& recording_;
  const Clock& clock_;
  const bool is_unix_;
};

// Dials into a recording whatever the address; `unix` at its start makes it unixgram.
inline Simulator::Dialler DialRecording(Recording* recording, const Clock& clock) {
  return [recording, &clock](std::string_view address, const ClientDialect&) {
    return Result<std::unique_ptr<DatagramWriter>>(
        std::make_unique<RecordingWriter>(recording, clock, address.substr(0, 4) == "unix"));
  };
}

// Lets time pass in steps that keep every beat.
inline void Pass(Simulator& simulator, ManualClock& clock, Duration duration) {
  constexpr Duration kStep = std::chrono::milliseconds(20);
  for (Duration passed{}; passed < duration; passed += kStep) {
    clock.Advance(kStep);
    simulator.Step();
  }
}

}  // namespace spire_exporter::fakes

#endif  // TESTS_FAKES_RECORDING_WRITER_H_
