#include "common/profile/stage_shares.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tandem::profile {
namespace {

using trace::Span;
using trace::Stage;

Part part_of(Stage stage) {
  switch (stage) {
    case Stage::select:
      return Part::select;
    case Stage::allocate:
      return Part::allocate;
    case Stage::host_to_device:
      return Part::host_to_device;
    case Stage::workspace:
      return Part::workspace;
    case Stage::kernel:
      return Part::kernel;
    case Stage::device_to_host:
      return Part::device_to_host;
    case Stage::wait:
      return Part::wait;
  }
  return Part::other;
}

bool on_device(const Span& span) { return std::isfinite(span.device_begin) && std::isfinite(span.device_end); }

/// Something that claims an interval; the one of the highest rank gets it, of equal ones the shortest.
struct Claim {
  double begin, end;
  Part part;
  int rank;
};

void add_claims(std::vector<Claim>& claims, const Span& span) {
  const bool kernel = span.stage == Stage::kernel;
  const Part part = part_of(span.stage);
  const bool launches = kernel && span.backend == Backend::cuda;
  claims.push_back({span.begin, span.end, launches ? Part::launch : part, launches ? 3 : 0});
  if (on_device(span)) claims.push_back({span.device_begin, span.device_end, part, kernel ? 2 : 4});
  if (std::isfinite(span.noticed) && on_device(span)) claims.push_back({span.device_end, span.noticed, Part::wait, 1});
}

Part owner_of(std::span<const Claim> claims, double moment) {
  const Claim* best = nullptr;
  for (const Claim& claim : claims) {
    if (moment < claim.begin || moment >= claim.end) continue;
    const bool better = !best || claim.rank > best->rank ||
                        (claim.rank == best->rank && claim.end - claim.begin < best->end - best->begin);
    if (better) best = &claim;
  }
  return best ? best->part : Part::other;
}

}  // namespace

std::string_view name(Part part) {
  constexpr std::string_view kNames[kParts] = {"select",        "allocate", "host to device", "workspace", "launch",
                                               "fork and join", "kernel",   "device to host", "wait",      "other"};
  return kNames[static_cast<std::size_t>(part)];
}

Shares shares_of(const Span& call, std::span<const Span> stages) {
  Shares shares;
  shares.wall = call.end - call.begin;
  std::vector<Claim> claims;
  double fork_join = 0;
  for (const Span& span : stages) {
    if (span.kind != trace::Kind::stage) continue;
    add_claims(claims, span);
    if (std::isfinite(span.fork_join)) fork_join += span.fork_join;
    if (on_device(span))
      shares.on_device[static_cast<std::size_t>(part_of(span.stage))] += span.device_end - span.device_begin;
  }
  std::vector<double> moments = {call.begin, call.end};
  for (const Claim& claim : claims)
    for (const double moment : {claim.begin, claim.end}) moments.push_back(std::clamp(moment, call.begin, call.end));
  std::sort(moments.begin(), moments.end());
  for (std::size_t i = 1; i < moments.size(); ++i) {
    const double length = moments[i] - moments[i - 1];
    if (length > 0) shares.seconds[static_cast<std::size_t>(owner_of(claims, moments[i - 1] + length / 2))] += length;
  }
  double& kernel = shares.seconds[static_cast<std::size_t>(Part::kernel)];
  fork_join = std::min(fork_join, kernel);
  kernel -= fork_join;
  shares.seconds[static_cast<std::size_t>(Part::fork_join)] = fork_join;
  return shares;
}

}  // namespace tandem::profile
