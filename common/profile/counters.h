// Hardware counters of the processor through perf_event_open: cycles, instructions, misses. Where the system does not
// permit them, or has none, the reading says why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tandem/measurement.h>

namespace tandem::profile {

/// Opens one generic hardware event (PERF_COUNT_HW_...) on a thread, stopped: a descriptor, or -errno.
using OpenCounter = std::function<int(std::uint64_t event, int thread)>;
int open_counter(std::uint64_t event, int thread);

/// Why an event could not be opened: "n/a: ...". `paranoid` is what /proc/sys/kernel/perf_event_paranoid holds.
std::string counter_refusal(int error, const std::string& paranoid);

/// Counters on every thread that the process has now and on the threads that those start later. One thread uses it at a
/// time. Never throws for want of counters.
class Counters {
 public:
  explicit Counters(const OpenCounter& open = open_counter);
  ~Counters();
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  /// At least one event is counted. Asking costs nothing.
  bool any() const { return !open_.empty(); }
  void start();
  /// What was counted since start(), and stops.
  CounterReading stop();

 private:
  /// What read() of an event yields, with the two times that its read_format asks for.
  struct Value {
    std::uint64_t count = 0, enabled = 0, running = 0;
  };
  struct Open {
    std::size_t event;
    int descriptor;
    Value begin;
  };
  std::vector<Open> open_;
  std::string reason_;
};

}  // namespace tandem::profile
