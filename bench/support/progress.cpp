#include "bench/support/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/timer.h"

namespace tandem::bench {

ProgressLine::ProgressLine(bool on, std::size_t jobs) : on_(on), jobs_(jobs), started_(profile::now()) {}

void ProgressLine::begin(std::size_t index, const std::string& problem) {
  index_ = index;
  problem_ = problem;
  show({"", std::nan(""), 0});
}

void ProgressLine::show(const profile::Progress& progress) {
  if (!on_) return;
  const double done = (static_cast<double>(index_) + progress.fraction) / static_cast<double>(jobs_);
  const double spent = profile::now() - started_;
  std::string text = fmt::format("[{}/{}] {}", index_ + 1, jobs_, problem_);
  if (!progress.candidate.empty())
    text += std::isnan(progress.median_seconds)
                ? fmt::format("  checking {}", progress.candidate)
                : fmt::format("  {} {}", progress.candidate, profile::duration(progress.median_seconds));
  if (done > 0.02) text += fmt::format("  about {:.0f} s left", std::ceil(spent / done - spent));
  winsize size{};
  const std::size_t width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  std::fprintf(stderr, "\r\x1b[K%s", text.substr(0, width - 1).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace tandem::bench
