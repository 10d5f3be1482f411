// The measured speeds of a machine by the names that files give them.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <tandem/machine.h>

namespace tandem::profile {

/// Calls speed(name, field) for each speed and time, and curve(name, field) for each curve of copies.
template <class C, class Speed, class Curve>
void each_ceiling(C& c, Speed speed, Curve curve) {
  speed("cpu_flops_s_one_thread", c.cpu_flops);
  speed("cpu_s8_ops_s_one_thread", c.cpu_s8_ops);
  speed("cpu_bf16_flops_s_one_thread", c.cpu_bf16_flops);
  speed("cpu_l2_bytes_s_one_thread", c.cpu_l2_bytes);
  speed("cpu_l3_bytes_s_one_thread", c.cpu_l3_bytes);
  speed("cpu_dram_bytes_s_one_thread", c.cpu_dram_bytes);
  speed("cpu_fork_s", c.cpu_fork_seconds);
  speed("gpu_flops_s", c.gpu_flops);
  speed("gpu_s8_ops_s", c.gpu_s8_ops);
  speed("gpu_bf16_flops_s", c.gpu_bf16_flops);
  speed("gpu_bytes_s", c.gpu_bytes);
  speed("launch_s", c.launch_seconds);
  speed("copy_s", c.copy_seconds);
  speed("h2d_bytes_s", c.h2d_bytes);
  speed("d2h_bytes_s", c.d2h_bytes);
  speed("wait_s", c.wait_seconds);
  speed("allocate_s", c.allocate_seconds);
  curve("h2d_pageable", c.h2d_pageable);
  curve("d2h_pageable", c.d2h_pageable);
  curve("h2d_pinned", c.h2d_pinned);
  curve("d2h_pinned", c.d2h_pinned);
}

/// The fields of ceilings for a JsonWriter or JsonReader. A curve is the list of its seconds. What is read is refused
/// where it is no speed or time, or a curve has another number of sizes.
template <class Io, class C>
void describe_speeds(Io& io, C& c) {
  constexpr std::string_view kLater = "cpu_l3_bytes_s_one_thread";  // files of before 28 November 2026 lack it
  each_ceiling(
      c,
      [&](const char* key, auto& value) {
        if (std::string_view(key) == kLater)
          io.later(key, value);
        else
          io(key, value);
        if constexpr (!std::is_const_v<C>)
          if (!std::isfinite(value) || value < 0) io.refuse(key, "is no speed or time");
      },
      [&](const char* key, auto& curve) {
        std::vector<double> seconds(curve.seconds.begin(), curve.seconds.end());
        io(key, seconds);
        if constexpr (!std::is_const_v<C>) {
          if (seconds.size() != curve.seconds.size()) io.refuse(key, "has another number of sizes than this library");
          std::copy(seconds.begin(), seconds.end(), curve.seconds.begin());
        }
      });
}

}  // namespace tandem::profile
