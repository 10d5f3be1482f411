// The matmul primitive of oneDNN 3 or 2, through its C interface. Other primitives have no row: their descriptions are
// numbered in headers that are not read here.
#include <array>
#include <cstddef>
#include <cstdint>

#include "bench/peers/peer_kernel.h"
#include "bench/peers/shared_library.h"

namespace tandem::peers {
namespace {

// Of oneDNN's C interface, the same in both versions.
constexpr int kCpu = 1, kInOrder = 1, kSource = 1, kWeights = 33, kResult = 17;
constexpr int kBF16 = 2, kF32 = 3, kS32 = 4, kS8 = 5, kU8 = 6;
using Status = int;
/// Version 2 fills descriptions in where the caller says, so that room for them is needed; version 3 makes them.
struct alignas(64) Description {
  std::array<std::byte, 8192> room;
};
struct Argument {
  int what;
  void* memory;
};
using Dims = std::array<std::int64_t, 12>;  // DNNL_MAX_NDIMS

struct Dnnl {
  SharedLibrary library{"libdnnl.so.3", "libdnnl.so.2"};
  bool third = library.has("dnnl_memory_desc_create_with_strides");
  Status (*create_engine)(void**, int, std::size_t) = nullptr;
  Status (*create_stream)(void**, void*, unsigned) = nullptr;
  Status (*create_primitive)(void**, const void*) = nullptr;
  Status (*destroy_choice)(void*) = nullptr;
  Status (*destroy_primitive)(void*) = nullptr;
  Status (*create_memory)(void**, const void*, void*, void*) = nullptr;
  Status (*destroy_memory)(void*) = nullptr;
  Status (*set_data)(void*, void*) = nullptr;
  Status (*execute)(const void*, void*, int, const Argument*) = nullptr;
  Status (*wait)(void*) = nullptr;
  void (*set_threads)(int) = nullptr;
  // Version 3.
  Status (*make_description)(void**, int, const std::int64_t*, int, const std::int64_t*) = nullptr;
  Status (*destroy_description)(void*) = nullptr;
  Status (*choose)(void**, void*, const void*, const void*, const void*, const void*, const void*) = nullptr;
  // Version 2.
  Status (*fill_description)(void*, int, const std::int64_t*, int, const std::int64_t*) = nullptr;
  Status (*describe_matmul)(void*, const void*, const void*, const void*, const void*) = nullptr;
  Status (*choose_described)(void**, const void*, const void*, void*, const void*) = nullptr;

  Dnnl() {
    library.take(create_engine, "dnnl_engine_create");
    library.take(create_stream, "dnnl_stream_create");
    library.take(create_primitive, "dnnl_primitive_create");
    library.take(destroy_choice, "dnnl_primitive_desc_destroy");
    library.take(destroy_primitive, "dnnl_primitive_destroy");
    library.take(create_memory, "dnnl_memory_create");
    library.take(destroy_memory, "dnnl_memory_destroy");
    library.take(set_data, "dnnl_memory_set_data_handle");
    library.take(execute, "dnnl_primitive_execute");
    library.take(wait, "dnnl_stream_wait");
    library.take(set_threads, "omp_set_num_threads");  // of the OpenMP that it was built with
    if (third) {
      library.take(make_description, "dnnl_memory_desc_create_with_strides");
      library.take(destroy_description, "dnnl_memory_desc_destroy");
      library.take(choose, "dnnl_matmul_primitive_desc_create");
    } else {
      library.take(fill_description, "dnnl_memory_desc_init_by_strides");
      library.take(describe_matmul, "dnnl_matmul_desc_init");
      library.take(choose_described, "dnnl_primitive_desc_create");
    }
  }
  static Dnnl& get() {
    static Dnnl dnnl;
    return dnnl;
  }
};

/// Describes one matrix, or a batch of them.
class MatrixDescription {
 public:
  MatrixDescription(int type, bool batched, const Dims& sizes, const Dims& steps) {
    Dnnl& dnnl = Dnnl::get();
    const int rank = batched ? 3 : 2;
    ok_ = dnnl.third ? dnnl.make_description(&made_, rank, sizes.data(), type, steps.data()) == 0
                     : dnnl.fill_description(&filled_, rank, sizes.data(), type, steps.data()) == 0;
  }
  ~MatrixDescription() {
    if (made_) Dnnl::get().destroy_description(made_);
  }
  MatrixDescription(const MatrixDescription&) = delete;
  MatrixDescription& operator=(const MatrixDescription&) = delete;

  bool ok() const { return ok_; }
  const void* get() const { return made_ ? made_ : &filled_; }

 private:
  Description filled_;
  void* made_ = nullptr;
  bool ok_ = false;
};

/// Types, sizes and strides of one product: what a primitive is made for.
struct Form {
  int a_type = kF32, b_type = kF32, c_type = kF32;
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  std::array<std::int64_t, 3> a{}, b{}, c{};  // strides: batch, row, column
  int threads = 0;
  friend bool operator==(const Form&, const Form&) = default;
};

/// The primitive of the last form, its memories, engine and stream.
class Product {
 public:
  Code run(const Form& form, const void* a, const void* b, void* c) {
    Dnnl& dnnl = Dnnl::get();
    dnnl.set_threads(form.threads);  // of the process: another product may have had others
    if (!(form == form_) && !prepare(form)) return Code::unavailable;
    const Argument arguments[] = {{kSource, memories_[0]}, {kWeights, memories_[1]}, {kResult, memories_[2]}};
    const bool ok = dnnl.set_data(memories_[0], const_cast<void*>(a)) == 0 &&
                    dnnl.set_data(memories_[1], const_cast<void*>(b)) == 0 && dnnl.set_data(memories_[2], c) == 0 &&
                    dnnl.execute(primitive_, stream_, 3, arguments) == 0 && dnnl.wait(stream_) == 0;
    return ok ? Code::ok : Code::unavailable;
  }

 private:
  bool prepare(const Form& form) {
    Dnnl& dnnl = Dnnl::get();
    forget();
    if (!engine_ &&
        (dnnl.create_engine(&engine_, kCpu, 0) != 0 || dnnl.create_stream(&stream_, engine_, kInOrder) != 0))
      return false;
    const MatrixDescription a = describe(form.a_type, form, form.m, form.k, form.a);
    const MatrixDescription b = describe(form.b_type, form, form.k, form.n, form.b);
    const MatrixDescription c = describe(form.c_type, form, form.m, form.n, form.c);
    const auto choose = [&](void** choice) {
      if (dnnl.third) return dnnl.choose(choice, engine_, a.get(), b.get(), nullptr, c.get(), nullptr) == 0;
      Description operation;
      return dnnl.describe_matmul(&operation, a.get(), b.get(), nullptr, c.get()) == 0 &&
             dnnl.choose_described(choice, &operation, nullptr, engine_, nullptr) == 0;
    };
    void* choice = nullptr;
    const bool ok = a.ok() && b.ok() && c.ok() && choose(&choice) && dnnl.create_primitive(&primitive_, choice) == 0 &&
                    dnnl.create_memory(&memories_[0], a.get(), engine_, nullptr) == 0 &&
                    dnnl.create_memory(&memories_[1], b.get(), engine_, nullptr) == 0 &&
                    dnnl.create_memory(&memories_[2], c.get(), engine_, nullptr) == 0;
    if (choice) dnnl.destroy_choice(choice);
    if (ok) form_ = form;
    return ok;
  }
  static MatrixDescription describe(int type, const Form& form, std::int64_t rows, std::int64_t cols,
                                    const std::array<std::int64_t, 3>& strides) {
    if (form.batch > 1) return {type, true, Dims{form.batch, rows, cols}, Dims{strides[0], strides[1], strides[2]}};
    return {type, false, Dims{rows, cols}, Dims{strides[1], strides[2]}};
  }
  void forget() {
    Dnnl& dnnl = Dnnl::get();
    form_ = {};
    if (primitive_) dnnl.destroy_primitive(primitive_);
    primitive_ = nullptr;
    for (void*& memory : memories_) {
      if (memory) dnnl.destroy_memory(memory);
      memory = nullptr;
    }
  }

  Form form_;
  void* engine_ = nullptr;
  void* stream_ = nullptr;
  void* primitive_ = nullptr;
  std::array<void*, 3> memories_{};
};

constexpr int type_of(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return kBF16;
    case DType::s32:
      return kS32;
    case DType::s8:
      return kS8;
    case DType::u8:
      return kU8;
    default:
      return kF32;
  }
}

template <DType kType>
Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  // What the grammar of problems does not say.
  if (args.alpha != 1.0f || args.batch.rank > 1) return Code::unavailable;
  static Product product;
  const auto stride = [&](int operand) { return args.batch.rank == 0 ? 0 : args.batch.strides[operand][0]; };
  const Form form{type_of(kType),
                  type_of(kType),
                  type_of(args.result),
                  args.m,
                  args.n,
                  args.k,
                  args.batch.elements,
                  {stride(0), args.a.row, args.a.col},
                  {stride(1), args.b.row, args.b.col},
                  {stride(2), args.c.row, args.c.col},
                  queue.machine->cpu.threads};
  return product.run(form, args.a.data, args.b.data, args.c.data);
}

template <DType kType>
Refusal supports(const MatmulProblem& problem, const Machine&) {
  if (const std::string& missing = Dnnl::get().library.missing(); !missing.empty()) return missing.c_str();
  if (problem.dtype != kType) return kType == DType::f32 ? "has a counterpart of f32" : "has a counterpart of bf16";
  if (const Refusal reason = plain(problem)) return reason;
  return problem.reads_c ? "does not add to what c holds" : nullptr;
}

Code run_quantized(const QuantizedMatmulArgs& args, const Queue& queue, Workspace) {
  static Product product;
  const Form form{type_of(args.a_type),
                  kS8,
                  kS32,
                  args.m,
                  args.n,
                  args.k,
                  1,
                  {0, args.a.row, args.a.col},
                  {0, args.b.row, args.b.col},
                  {0, args.c.row, args.c.col},
                  queue.machine->cpu.threads};
  return product.run(form, args.a.data, args.b.data, args.c.data);
}

Refusal supports_quantized(const QuantizedMatmulProblem& problem, const Machine&) {
  if (const std::string& missing = Dnnl::get().library.missing(); !missing.empty()) return missing.c_str();
  if (problem.result != DType::s32) return "has a counterpart of the sums alone (out=s32)";
  if (problem.a_zero_points || problem.b_zero_points) return "has no zero points";
  if (problem.b_format != MatrixFormat::dense) return "needs a dense b";
  if (problem.bias != QuantizedBias::none || problem.activation != Activation::none)
    return "has no bias and no activation";
  if (problem.a_layout == Layout::strided || problem.b_layout == Layout::strided || problem.c_layout != Layout::row)
    return kLayouts;
  return nullptr;
}

template <DType kType>
const Kernel<Matmul> kMatmul = {{}, {}, supports<kType>, unknown_cost<Matmul>, no_workspace<Matmul>, run<kType>};
const Kernel<QuantizedMatmul> kQuantized = {
    {}, {}, supports_quantized, unknown_cost<QuantizedMatmul>, no_workspace<QuantizedMatmul>, run_quantized};

}  // namespace

void add_onednn(profile::MoreRows& more) {
  more.of<Matmul>().push_back({"peer.onednn.matmul", Backend::cpu, &kMatmul<DType::f32>});
  more.of<Matmul>().push_back({"peer.onednn.matmul_bf16", Backend::cpu, &kMatmul<DType::bf16>});
  more.of<QuantizedMatmul>().push_back({"peer.onednn.matmul_s8", Backend::cpu, &kQuantized});
}

}  // namespace tandem::peers
