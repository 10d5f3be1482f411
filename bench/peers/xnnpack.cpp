// Elementwise operations of XNNPACK through its C interface. Its quantisation multiplies by the reciprocal of the
// scale, which is not always the quotient that `quantize` promises, and has no row.
#include <cstddef>
#include <cstdint>

#include "bench/peers/peer_kernel.h"
#include "bench/peers/shared_library.h"
#include "common/ops/elementwise.h"
#include "common/ops/quantize.h"
#include "common/ops/softmax.h"

namespace tandem::peers {
namespace {

using Status = int;  // 0: success
using Create = Status(std::size_t channels, std::size_t in_stride, std::size_t out_stride, std::uint32_t flags, void**);
using CreateClamp = Status(std::size_t channels, std::size_t in_stride, std::size_t out_stride, float low, float high,
                           std::uint32_t flags, void**);
template <class Byte>
using CreateDequantize = Status(std::size_t channels, std::size_t in_stride, std::size_t out_stride, float scale,
                                Byte zero_point, std::uint32_t flags, void**);
using Setup = Status(void* op, std::size_t batch, const void* in, void* out, void* pool);

struct Xnnpack {
  SharedLibrary library{"libXNNPACK.so.0", "libXNNPACK.so"};
  Status (*initialize)(const void*) = nullptr;
  Status (*run)(void*, void* pool) = nullptr;
  Status (*destroy)(void*) = nullptr;
  void* (*create_pool)(std::size_t threads) = nullptr;
  void (*destroy_pool)(void*) = nullptr;
  CreateClamp* create_clamp = nullptr;
  Create *create_sigmoid = nullptr, *create_softmax = nullptr;
  CreateDequantize<std::int8_t>* create_from_s8 = nullptr;
  CreateDequantize<std::uint8_t>* create_from_u8 = nullptr;
  Setup *setup_clamp = nullptr, *setup_sigmoid = nullptr, *setup_softmax = nullptr, *setup_from_s8 = nullptr,
        *setup_from_u8 = nullptr;
  bool is_newer = false, runs_here = false;

  Xnnpack() {
    library.take(initialize, "xnn_initialize");
    library.take(run, "xnn_run_operator");
    library.take(destroy, "xnn_delete_operator");
    library.take(create_pool, "pthreadpool_create");
    library.take(destroy_pool, "pthreadpool_destroy");
    library.take(create_clamp, "xnn_create_clamp_nc_f32");
    library.take(create_sigmoid, "xnn_create_sigmoid_nc_f32");
    library.take(create_softmax, "xnn_create_softmax_nc_f32");
    library.take(create_from_s8, "xnn_create_convert_nc_qs8_f32");
    library.take(create_from_u8, "xnn_create_convert_nc_qu8_f32");
    library.take(setup_clamp, "xnn_setup_clamp_nc_f32");
    library.take(setup_sigmoid, "xnn_setup_sigmoid_nc_f32");
    library.take(setup_softmax, "xnn_setup_softmax_nc_f32");
    library.take(setup_from_s8, "xnn_setup_convert_nc_qs8_f32");
    library.take(setup_from_u8, "xnn_setup_convert_nc_qu8_f32");
    // The functions of later versions have the same names and other parameters.
    is_newer = library.has("xnn_reshape_clamp_nc_f32");
    runs_here = library.missing().empty() && !is_newer && initialize(nullptr) == 0;
  }
  static Xnnpack& get() {
    static Xnnpack xnnpack;
    return xnnpack;
  }

  /// Makes `pool` that of so many threads, for one context at a time; null: the calling one alone. False: none came.
  bool take_pool(int threads, void*& pool) {
    if (threads != threads_) {
      if (pool_) destroy_pool(pool_);
      pool_ = threads > 1 ? create_pool(static_cast<std::size_t>(threads)) : nullptr;
      threads_ = threads == 1 || pool_ ? threads : 1;
    }
    pool = pool_;
    return threads == threads_;
  }

 private:
  int threads_ = 1;
  void* pool_ = nullptr;
};

/// An operator, made when what it is made for is no longer what the last one was made for.
template <class Key>
class Operator {
 public:
  template <class Make>
  Code run(const Key& key, Make make, Setup* setup, std::int64_t batch, const void* in, void* out, const Queue& queue) {
    Xnnpack& xnnpack = Xnnpack::get();
    if (!op_ || !(key == key_)) {
      if (op_) xnnpack.destroy(op_);
      op_ = nullptr;
      key_ = key;
      if (make(&op_) != 0) return Code::unavailable;
    }
    void* pool = nullptr;
    if (!xnnpack.take_pool(queue.machine->cpu.threads, pool)) return Code::unavailable;
    const bool ok = setup(op_, static_cast<std::size_t>(batch), in, out, pool) == 0 && xnnpack.run(op_, pool) == 0;
    return ok ? Code::ok : Code::unavailable;
  }

 private:
  void* op_ = nullptr;
  Key key_{};
};

Refusal installed() {
  if (const std::string& missing = Xnnpack::get().library.missing(); !missing.empty()) return missing.c_str();
  if (Xnnpack::get().is_newer) return "the library that was found is newer than what is known of it here (2022)";
  return Xnnpack::get().runs_here ? nullptr : "the library that was found does not know this processor";
}
constexpr Refusal kGaps = "needs operands without gaps";

Refusal supports_unary(const UnaryProblem& problem, const Machine&) {
  if (const Refusal reason = installed()) return reason;
  if (problem.fn != UnaryFn::relu && problem.fn != UnaryFn::sigmoid) return "has counterparts of relu and sigmoid";
  return problem.contiguous ? nullptr : kGaps;
}

Code run_unary(const UnaryArgs& args, const Queue& queue, Workspace) {
  if (args.loops.rank > 1) return Code::unavailable;
  Xnnpack& xnnpack = Xnnpack::get();
  static Operator<UnaryFn> last;
  const auto make = [&](void** op) {
    return args.fn == UnaryFn::relu ? xnnpack.create_clamp(1, 1, 1, 0, std::numeric_limits<float>::infinity(), 0, op)
                                    : xnnpack.create_sigmoid(1, 1, 1, 0, op);
  };
  return last.run(args.fn, make, args.fn == UnaryFn::relu ? xnnpack.setup_clamp : xnnpack.setup_sigmoid,
                  args.loops.elements, args.x, args.y, queue);
}

Refusal supports_softmax(const SoftmaxProblem& problem, const Machine&) {
  if (const Refusal reason = installed()) return reason;
  if (problem.fn != SoftmaxFn::softmax) return "has a counterpart of softmax";
  return problem.contiguous ? nullptr : "needs unit stride along the axis";
}

Code run_softmax(const SoftmaxArgs& args, const Queue& queue, Workspace) {
  if (args.rows.rank > 1) return Code::unavailable;
  struct Key {
    std::int64_t length, x, y;
    bool operator==(const Key&) const = default;
  };
  static Operator<Key> last;
  const auto stride = [&](int operand) { return args.rows.rank == 0 ? args.length : args.rows.strides[operand][0]; };
  const Key key = {args.length, stride(0), stride(1)};
  const auto make = [&](void** op) {
    return Xnnpack::get().create_softmax(static_cast<std::size_t>(key.length), static_cast<std::size_t>(key.x),
                                         static_cast<std::size_t>(key.y), 0, op);
  };
  return last.run(key, make, Xnnpack::get().setup_softmax, args.rows.elements, args.x, args.y, queue);
}

Refusal supports_dequantize(const QuantizeProblem& problem, const Machine&) {
  if (const Refusal reason = installed()) return reason;
  if (problem.scales != 1) return "has a counterpart of one scale for all";
  return problem.contiguous ? nullptr : kGaps;
}

Code run_dequantize(const QuantizeArgs& args, const Queue& queue, Workspace) {
  if (args.loops.rank > 1) return Code::unavailable;
  struct Key {
    DType dtype;
    float scale;
    std::int32_t zero_point;
    bool operator==(const Key&) const = default;
  };
  static Operator<Key> last;
  Xnnpack& xnnpack = Xnnpack::get();
  const Key key = {args.dtype, args.scales[0], args.zero_points ? args.zero_points[0] : 0};
  const bool is_signed = args.dtype == DType::s8;
  const auto make = [&](void** op) {
    return is_signed ? xnnpack.create_from_s8(1, 1, 1, key.scale, static_cast<std::int8_t>(key.zero_point), 0, op)
                     : xnnpack.create_from_u8(1, 1, 1, key.scale, static_cast<std::uint8_t>(key.zero_point), 0, op);
  };
  return last.run(key, make, is_signed ? xnnpack.setup_from_s8 : xnnpack.setup_from_u8, args.loops.elements, args.in,
                  args.out, queue);
}

const Kernel<Unary> kUnary = {{}, {}, supports_unary, unknown_cost<Unary>, no_workspace<Unary>, run_unary};
const Kernel<Softmax> kSoftmax = {{}, {}, supports_softmax, unknown_cost<Softmax>, no_workspace<Softmax>, run_softmax};
const Kernel<Dequantize> kDequantize = {
    {}, {}, supports_dequantize, unknown_cost<Dequantize>, no_workspace<Dequantize>, run_dequantize};

}  // namespace

void add_xnnpack(profile::MoreRows& more) {
  more.of<Unary>().push_back({"peer.xnnpack.unary", Backend::cpu, &kUnary});
  more.of<Softmax>().push_back({"peer.xnnpack.softmax", Backend::cpu, &kSoftmax});
  more.of<Dequantize>().push_back({"peer.xnnpack.dequantize", Backend::cpu, &kDequantize});
}

}  // namespace tandem::peers
