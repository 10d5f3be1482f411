#include "bench/compare/jobs.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/npy.h>

#include "bench/compare/axes.h"

namespace tandem::compare {
namespace {

namespace fs = std::filesystem;

/// Sizes from the first-level cache to beyond the last one, and the shapes that kernels find hard.
std::vector<Job> ladder_jobs() {
  constexpr struct {
    const char *op, *problem, *label;
  } kLadder[] = {
      {"matmul", "f32:64x64x64", "small"},
      {"matmul", "f32:256x256x256", "medium"},
      {"matmul", "f32:1024x1024x1024", "large"},
      {"matmul", "f32:16x1024x1024", "few rows"},
      {"matmul", "f32:1x4096x4096", "one row: bound by reading b"},
      {"matmul", "f32:64x4096x64", "flat"},
      {"relu", "f32:10000", "in L1 and L2"},
      {"relu", "f32:1000000", "in L3"},
      {"relu", "f32:20000000", "in memory"},
      {"gelu_erf", "f32:100000", "in L2"},
      {"gelu_erf", "f32:10000000", "in memory"},
      {"softmax", "f32:128x1024", "long rows"},
      {"softmax", "f32:20000x10", "short rows"},
      {"sum", "f32:100000", "in L2"},
      {"sum", "f32:20000000", "in memory"},
      {"quantized_matmul", "s8:512x512x512,per_token,per_channel", "8-bit integers"},
      {"matmul", "bf16:512x512x512", "bf16"},
      {"spmm", "csr:1024x256x1024@0.05", "5 % of a stored"},
      {"matmul", "f32:1x1536x384,2:4", "one row, two of each four weights"},
      {"dynamic_quantize", "s8:512x1024,per_token", "a scale a row"},
      {"transpose", "f32:512x512", "in L2 and L3"},
      {"transpose", "f32:4096x4096", "in memory, rows 16 KiB apart"},
  };
  std::vector<Job> jobs;
  for (const auto& rung : kLadder)
    jobs.push_back({rung.op, rung.problem, rung.label, {}, fmt::format("{} {}", rung.op, rung.problem)});
  return jobs;
}

std::shared_ptr<const Tensor> load(const std::string& path) { return std::make_shared<const Tensor>(load_npy(path)); }

/// The problem string that describes files: "f32:3x5x4" for matmul with a 3x4 and b 4x5, the first file's shape else.
std::string problem_of_files(const std::string& op, const std::vector<profile::Given>& given) {
  const Tensor& a = *given.front().data;
  if (op == "matmul") {
    if (given.size() < 2) throw UsageError("matmul needs --b as well as --a, or a problem that gives the size of b");
    const Tensor& b = *given[1].data;
    if (a.shape().rank() != 2 || b.shape().rank() != 2)
      throw UsageError(fmt::format("matmul of files needs two matrices, but {} holds {} and {} holds {}",
                                   given[0].source, to_string(a.shape()), given[1].source, to_string(b.shape())));
    if (a.shape()[1] != b.shape()[0])
      throw UsageError(fmt::format("matmul: inner dimensions differ ({} holds {}, {} holds {})", given[0].source,
                                   to_string(a.shape()), given[1].source, to_string(b.shape())));
    return fmt::format("{}:{}x{}x{}", name(a.dtype()), a.shape()[0], b.shape()[1], a.shape()[1]);
  }
  if (a.shape().empty())
    throw UsageError(fmt::format("{} holds a single number, which is no problem to compare", given[0].source));
  return fmt::format("{}:{}", name(a.dtype()), to_string(a.shape()));
}

Job job_of(const Asked& asked, const Options& options) {
  Job job{asked.op, asked.problem, "", {}, fmt::format("{} {}", asked.op, asked.problem)};
  if (!options.a.empty()) job.given.push_back({0, load(options.a), options.a});
  if (!options.b.empty()) job.given.push_back({1, load(options.b), options.b});
  if (job.text.empty()) {
    job.text = problem_of_files(job.op, job.given);
    job.reproduce = job.op;
  }
  return job;
}

/// The problems of the command line, with the values of the axes and batches in their places.
std::vector<Asked> asked_problems(const Options& options) {
  std::vector<Axis> axes;
  for (const std::string& text : options.axes) {
    axes.push_back(parse_axis(text));
    if (std::any_of(axes.begin(), axes.end() - 1, [&](const Axis& axis) { return axis.name == axes.back().name; }))
      throw UsageError(
          fmt::format("-a {}: the axis {} is given twice; write its values in one list", text, axes.back().name));
    if (std::none_of(options.problems.begin(), options.problems.end(),
                     [&](const Asked& asked) { return names_axis(asked.problem, axes.back().name); }))
      throw UsageError(fmt::format("-a {}: no problem has {{{}}} in it", text, axes.back().name));
  }
  std::vector<int> batches;
  if (!options.sweep_batch.empty()) {
    if (options.problems.empty()) throw UsageError("--sweep-batch needs a problem");
    batches = parse_counts("--sweep-batch", options.sweep_batch, 1);
  }
  std::vector<Asked> all;
  for (const Asked& asked : options.problems)
    for (const std::string& problem : expand(asked.problem, axes)) {
      if (batches.empty()) all.push_back({asked.op, problem});
      for (const int batch : batches) all.push_back({asked.op, with_batch(problem, batch)});
    }
  return all;
}

}  // namespace

std::string data_folder(const std::string& wanted) {
  std::vector<fs::path> places;
  if (!wanted.empty()) {
    places = {wanted};
  } else {
    places.emplace_back(TANDEM_BENCH_DATA_DIR);
    std::error_code error;
    if (const fs::path program = fs::read_symlink("/proc/self/exe", error); !error)
      places.push_back(program.parent_path().parent_path() / "share" / "tandem" / "data");
  }
  std::string tried;
  for (const fs::path& place : places) {
    std::error_code error;
    if (fs::exists(place / "digits_images.npy", error)) return place.string();
    tried += (tried.empty() ? "" : ", ") + place.string();
  }
  throw UsageError(fmt::format("digits_images.npy is not in {}; --data DIR names the folder", tried));
}

std::vector<Job> make_jobs(Context& ctx, const Options& options, std::vector<profile::Statement>& statements) {
  std::vector<Job> jobs;
  const auto add = [&](std::vector<Job> more) { std::move(more.begin(), more.end(), std::back_inserter(jobs)); };
  const bool everything = options.problems.empty() && options.jobs.empty();
  const auto asked_for = [&](const char* job) {
    return everything || std::find(options.jobs.begin(), options.jobs.end(), job) != options.jobs.end();
  };
  if (asked_for("digits")) add(digits_jobs(ctx, data_folder(options.data), statements));
  if (asked_for("ladder")) add(ladder_jobs());
  for (const Asked& asked : asked_problems(options)) jobs.push_back(job_of(asked, options));
  return jobs;
}

}  // namespace tandem::compare
