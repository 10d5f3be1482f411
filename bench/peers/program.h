// The frame of the comparisons with cuBLAS: options, the machine, the JSON file, exit codes.
#pragma once

#include <cublas_v2.h>
#include <fmt/core.h>
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include <tandem/context.h>
#include <tandem/version.h>

#include "bench/peers/rounds.h"

namespace tandem::peers {

struct PeerOptions {
  int rounds = 11;
  std::string json_file, kernels = "*";
  std::vector<std::string> sizes;
  bool quick = false;

  /// Whether a kernel of that name takes part.
  bool wants(const std::string& kernel) const { return fnmatch(kernels.c_str(), kernel.c_str(), 0) == 0; }
};

/// "MxNxK", as problems of products are written.
inline Size parse_size(const std::string& text) {
  Size size{};
  int end = 0;
  if (std::sscanf(text.c_str(), "%" SCNd64 "x%" SCNd64 "x%" SCNd64 "%n", &size.m, &size.n, &size.k, &end) != 3 ||
      static_cast<std::size_t>(end) != text.size() || std::min({size.m, size.n, size.k}) < 1)
    throw std::invalid_argument(fmt::format("'{}' is no size: MxNxK is expected, such as 512x512x512", text));
  return size;
}

/// "cuBLAS" and the GPU, without rows.
inline nlohmann::json json_header(const char* schema, const GpuInfo& gpu) {
  return {{"schema", schema},
          {"version", version()},
          {"gpu", gpu.name},
          {"compute_capability", gpu.compute_capability},
          {"cublas", CUBLAS_VERSION}};
}

/// Nothing without a file name.
inline void write_json(const std::string& file_name, const nlohmann::json& json) {
  if (file_name.empty()) return;
  std::ofstream file(file_name);
  file << json.dump(2) << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + file_name);
}

/// Calls run(context, gpu, sizes, options), which returns whether all results were right. Exit code: 0, 1 when one was
/// wrong, 2 when there is no GPU or anything failed.
template <class Run>
int peer_main(int argc, char** argv, const char* name, const char* what, const std::vector<Size>& quick_sizes,
              const std::vector<Size>& all_sizes, Run run) {
  CLI::App app{what};
  PeerOptions options;
  app.add_option("--rounds", options.rounds, "timed rounds")->check(CLI::Range(3, 1000));
  app.add_option("--json", options.json_file, "write the results here");
  app.add_option("--size", options.sizes, "these sizes instead, MxNxK");
  app.add_option("--kernels", options.kernels, "only kernels whose name matches this pattern");
  app.add_flag("--quick", options.quick, fmt::format("{} sizes only", quick_sizes.size()));
  CLI11_PARSE(app, argc, argv);
  try {
    std::vector<Size> sizes;
    for (const std::string& text : options.sizes) sizes.push_back(parse_size(text));
    if (sizes.empty()) sizes = options.quick ? quick_sizes : all_sizes;
    Context ctx;
    if (ctx.machine().gpus.empty()) {
      fmt::print(stderr, "no GPU: {}\n", ctx.machine().no_gpu_reason);
      return 2;
    }
    const GpuInfo gpu = ctx.machine().gpus[0];
    fmt::print("{}, compute capability {}, cuBLAS {}\n", gpu.name, gpu.compute_capability, CUBLAS_VERSION);
    return run(ctx, gpu, sizes, options) ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return 2;
  }
}

}  // namespace tandem::peers
