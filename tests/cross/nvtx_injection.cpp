// What a profiler puts under a program that has NVTX ranges: a library that NVTX loads by itself. This one writes the
// names of ranges, indented by their depth, to the file that TANDEM_NVTX_OUT names.
#include <nvtx3/nvToolsExt.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

thread_local int depth = 0;

int push(const char* name) {
  if (const char* path = std::getenv("TANDEM_NVTX_OUT"))
    if (std::FILE* file = std::fopen(path, "a")) {
      std::fprintf(file, "%s%s\n", std::string(static_cast<std::size_t>(depth), ' ').c_str(), name);
      std::fclose(file);
    }
  return depth++;
}

int pop() { return --depth; }

template <class Function>
void set(NvtxFunctionTable table, int id, Function* function) {
  *table[id] = reinterpret_cast<NvtxFunctionPointer>(function);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int InitializeInjectionNvtx2(NvtxGetExportTableFunc_t get) {
  const auto* callbacks = static_cast<const NvtxExportTableCallbacks*>(get(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (!callbacks || !callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE, &table, &size)) return 0;
  if (size <= NVTX_CBID_CORE_RangePop) return 0;
  set(table, NVTX_CBID_CORE_RangePushA, push);
  set(table, NVTX_CBID_CORE_RangePop, pop);
  return 1;
}
