// Where the time of a program goes: its own steps as scopes, every call within them recorded by itself, and a file for
// chrome://tracing or ui.perfetto.dev.
#include <tandem/tandem.h>
#include <filesystem>
#include <fstream>
#include <iostream>

int main() {
  tandem::Context ctx;
  const auto x = tandem::Tensor::full({64, 256}, 0.5f);
  const auto w = tandem::Tensor::full({256, 256}, 0.01f);

  const tandem::trace::Recorder recorder;
  tandem::trace::attach(ctx, recorder);  // without this line the scopes below cost a null check each
  for (const char* step : {"first batch", "second batch"}) {
    const tandem::trace::Scope scope(ctx, step);
    const tandem::Tensor hidden = tandem::gelu_erf(ctx, tandem::matmul(ctx, x, w));
    tandem::softmax(ctx, hidden);
  }
  const std::vector<tandem::trace::Span> spans = recorder.spans();
  for (const tandem::trace::Span& span : spans)
    std::cout << (span.parent ? "  " : "") << span.name << ' ' << span.problem << ": " << (span.end - span.begin) * 1e6
              << " us " << span.kernel << '\n';

  const auto file = std::filesystem::temp_directory_path() / "tandem_profiled_trace.json";
  std::ofstream(file) << tandem::trace::to_chrome_trace(spans);
  std::cout << "open " << file << " in a trace viewer\n";
}
