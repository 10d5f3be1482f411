// Calls whose operands are on a GPU, or that may go there: staging, where results land, transfers, resident data.
#include "tests/support/calls.h"
#include "tests/support/left_out.h"

namespace tandem::test::gpu_calls_test {
namespace {

class GpuCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    TANDEM_NEED_GPU();
    ctx_ = std::make_unique<Context>();
  }
  Context& ctx() { return *ctx_; }
  Tensor to_gpu(const Tensor& t) { return t.to(ctx(), Device::cuda()); }
  Tensor to_host(const Tensor& t) { return t.to(ctx(), Device::cpu()); }
  static CallOptions on(Backend backend) { return {"", backend}; }
  static MatmulOptions product_on(Backend backend) {
    MatmulOptions options;
    options.call = on(backend);
    return options;
  }

  std::unique_ptr<Context> ctx_;
};

TEST_F(GpuCalls, TensorsTravelUnchanged) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::s8, DType::s32}) {
    Tensor x = Tensor::empty({7, 33}, dtype);
    fill(x.view(), Fill::bits, 0, 1, 1);
    const Tensor there = to_gpu(x), copy = there.clone(ctx()), back = to_host(copy);
    EXPECT_EQ(there.device(), Device::cuda());
    EXPECT_EQ(copy.device(), Device::cuda());
    EXPECT_EQ(std::memcmp(back.view().data(), x.view().data(), 7 * 33 * size_of(dtype)), 0) << name(dtype);
  }
  EXPECT_EQ(to_host(to_gpu(Tensor::empty({0, 3}))).elements(), 0);
  const Tensor there = to_gpu(Tensor::full({3}, 1));
  EXPECT_EQ(error_of([&] { there.data<float>(); }).code(), Code::invalid_argument);
}

TEST_F(GpuCalls, ResidentDataStaysOnTheGpu) {
  const Tensor a = filled({20, 30}, Fill::integers, 1), b = filled({30, 10}, Fill::integers, 2);
  const Tensor ga = to_gpu(a), gb = to_gpu(b);
  const Tensor c = matmul(ctx(), ga, gb, product_on(Backend::cuda));
  EXPECT_EQ(c.device(), Device::cuda());
  EXPECT_EQ(ctx().last().backend, Backend::cuda);
  const Tensor r = relu(ctx(), c, on(Backend::cuda));
  EXPECT_EQ(r.device(), Device::cuda());
  const Tensor host = to_host(r);
  EXPECT_EQ(
      judged<Matmul>({1, 0, Activation::relu, false}, {as_operand(a), as_operand(b), as_operand(host)}, host, true),
      "");
  // The reductions over everything give host numbers, wherever the data is.
  const Tensor plain = to_host(c);
  EXPECT_EQ(sum(ctx(), c, on(Backend::cuda)), sum(ctx(), plain, on(Backend::cpu)));
}

TEST_F(GpuCalls, EveryOperationRunsOnHostOperandsByStaging) {
  const Tensor a = filled({12, 20}, Fill::reals, 1), b = filled({12, 20}, Fill::reals, 2),
               w = filled({20, 9}, Fill::reals, 3);
  const CallOptions gpu = on(Backend::cuda);
  const auto ran_there = [&] { EXPECT_EQ(ctx().last().backend, Backend::cuda) << ctx().last().op; };
  const Tensor c = matmul(ctx(), a, w, product_on(Backend::cuda));
  ran_there();
  EXPECT_EQ(c.device(), Device::cpu());
  EXPECT_EQ(judged<Matmul>({}, {as_operand(a), as_operand(w), as_operand(c)}, c), "");
  const Tensor u = silu(ctx(), a, gpu);
  ran_there();
  EXPECT_EQ(judged<Unary>({UnaryFn::silu}, {as_operand(a), as_operand(u)}, u), "");
  const Tensor s = add(ctx(), a, b.view().slice(0, 3, 4), gpu);
  ran_there();
  EXPECT_EQ(judged<Binary>({BinaryFn::add}, {as_operand(a), as_operand(b.view().slice(0, 3, 4)), as_operand(s)}, s),
            "");
  const Tensor m = softmax(ctx(), a, 0, gpu);
  ran_there();
  EXPECT_EQ(judged<Softmax>({SoftmaxFn::softmax, 0}, {as_operand(a), as_operand(m)}, m), "");
  const Tensor r = reduce(ctx(), ReduceFn::max, a, {}, 1, gpu);
  ran_there();
  EXPECT_EQ(judged<Reduce>({ReduceFn::max, 1}, {as_operand(a), as_operand(r)}, r), "");
  const Tensor t = transpose(ctx(), a, gpu);
  ran_there();
  EXPECT_EQ(judged<Transpose>({}, {as_operand(a), as_operand(t)}, t, true), "");
}

// Views with gaps, turned, with steps and with repetitions, from the host to the GPU and from the GPU to the host.
TEST_F(GpuCalls, StagesViewsOfAnyStrides) {
  const Tensor a = filled({6, 8}, Fill::integers, 1), b = filled({8, 5}, Fill::integers, 2);
  const std::pair<Strides, Strides> layouts[] = {{{8, 1}, {5, 1}},  {{11, 1}, {9, 1}},  {{1, 6}, {1, 8}},
                                                 {{1, 9}, {1, 11}}, {{30, 3}, {22, 2}}, {{40, 5}, {1, 8}},
                                                 {{8, 1}, {1, 30}}};
  for (const Device home : {Device::cpu(), Device::cuda()})
    for (const auto& [sa, sb] : layouts) {
      const Placed pa(ctx(), a, sa, home), pb(ctx(), b, sb, home);
      for (const Strides& sc : {Strides{5, 1}, Strides{8, 1}, Strides{1, 6}, Strides{1, 10}, Strides{20, 3}}) {
        const Tensor old = filled({6, 5}, Fill::integers, 3);
        const Placed pc(ctx(), old, sc, home);
        const Tensor before = pc.memory(ctx());
        MatmulOptions options;
        options.beta = 2;
        options.call = on(home.is_cpu() ? Backend::cuda : Backend::cpu);
        matmul_into(ctx(), pa.view(), pb.view(), pc.view(), options);
        EXPECT_NE(ctx().last().backend, home.backend);
        const Tensor after = pc.memory(ctx());
        const ConstView result(after.view().data(), DType::f32, {6, 5}, sc);
        EXPECT_EQ(judged<Matmul>({1, 2, Activation::none, false}, {as_operand(a), as_operand(b), as_operand(old)},
                                 result, true),
                  "")
            << to_string(sa) << ' ' << to_string(sb) << ' ' << to_string(sc);
        // Whatever lies between the elements of c is as it was.
        std::vector<char> reached(static_cast<std::size_t>(after.elements()), 0);
        walk<1>(0, 30, {6, 5}, {sc},
                [&](std::int64_t, const std::int64_t(&at)[1]) { reached[static_cast<std::size_t>(at[0])] = 1; });
        for (std::size_t i = 0; i < reached.size(); ++i)
          EXPECT_TRUE(reached[i] != 0 ||
                      std::memcmp(after.data<float>() + i, before.data<float>() + i, sizeof(float)) == 0)
              << "gap " << i;
      }
    }
}

TEST_F(GpuCalls, StagesRepetitions) {
  const Tensor row = filled({1, 9}, Fill::integers, 1), x = filled({5, 9}, Fill::integers, 2);
  const ConstView repeated(row.view().data(), DType::f32, {5, 9}, {0, 1});
  const Tensor y = mul(ctx(), repeated, x, on(Backend::cuda));
  EXPECT_EQ(judged<Binary>({BinaryFn::mul}, {as_operand(repeated), as_operand(x), as_operand(y)}, y, true), "");
  const Tensor there = to_gpu(row);
  const ConstView far(there.view().data(), DType::f32, {5, 9}, {0, 1}, Device::cuda());
  const Tensor z = to_host(mul(ctx(), far, x, on(Backend::cpu)));
  EXPECT_EQ(judged<Binary>({BinaryFn::mul}, {as_operand(repeated), as_operand(x), as_operand(z)}, z, true), "");
}

TEST_F(GpuCalls, TransfersCanBeForbidden) {
  const Tensor a = filled({16, 16}, Fill::integers, 1), there = to_gpu(a);
  Policy policy;
  policy.transfers = Transfers::forbid;
  ctx().set_policy(policy);
  matmul(ctx(), a, a);
  EXPECT_EQ(ctx().last().backend, Backend::cpu);
  matmul(ctx(), there, there);
  EXPECT_EQ(ctx().last().backend, Backend::cuda);
  const Error mixed = error_of([&] { matmul(ctx(), a, there); });
  EXPECT_EQ(mixed.code(), Code::unsupported);
  EXPECT_TRUE(has(mixed.what(), "the policy forbids transfers")) << mixed.what();
  EXPECT_EQ(error_of([&] { relu(ctx(), a, on(Backend::cuda)); }).code(), Code::unsupported);
}

TEST_F(GpuCalls, MixedOperandsMeetSomewhere) {
  const Tensor a = filled({10, 12}, Fill::integers, 1), b = filled({12, 7}, Fill::integers, 2), gb = to_gpu(b);
  for (const auto& backend : {std::optional<Backend>(), std::optional(Backend::cpu), std::optional(Backend::cuda)}) {
    MatmulOptions options;
    options.call.backend = backend;
    const Tensor c = matmul(ctx(), a, gb, options);
    EXPECT_EQ(c.device(), a.device());  // where the first operand is
    EXPECT_EQ(judged<Matmul>({}, {as_operand(a), as_operand(b), as_operand(c)}, c, true), "");
    const Tensor d = matmul(ctx(), gb.view().transposed(), a.view().transposed(), options);
    EXPECT_EQ(d.device(), Device::cuda());
  }
}

TEST_F(GpuCalls, ResultsGoWhereThePolicySays) {
  const Tensor x = filled({50}, Fill::integers, 1);
  for (const Device device : {Device::cpu(), Device::cuda()}) {
    Policy policy;
    policy.result = device;
    ctx().set_policy(policy);
    for (const Backend backend : {Backend::cpu, Backend::cuda}) {
      const Tensor y = relu(ctx(), x, on(backend));
      EXPECT_EQ(y.device(), device);
      const Tensor host = to_host(y);
      EXPECT_EQ(judged<Unary>({UnaryFn::relu}, {as_operand(x), as_operand(host)}, host, true), "");
    }
  }
}

TEST_F(GpuCalls, InPlaceAcrossDevices) {
  for (const Device home : {Device::cpu(), Device::cuda()}) {
    const Tensor x = filled({9, 11}, Fill::reals, 4);
    Tensor y = home.is_cpu() ? x.clone(ctx()) : to_gpu(x);
    unary_into(ctx(), UnaryFn::tanh, y, y.view(), on(home.is_cpu() ? Backend::cuda : Backend::cpu));
    const Tensor host = to_host(y);
    EXPECT_EQ(judged<Unary>({UnaryFn::tanh}, {as_operand(x), as_operand(host)}, host), "");
  }
}

TEST_F(GpuCalls, OutOfDeviceMemoryFallsBackOrFails) {
  // More than any device has.
  EXPECT_EQ(error_of([&] { Tensor::empty(ctx(), {std::int64_t{1} << 44}, DType::f32, Device::cuda()); }).code(),
            Code::out_of_memory);
  const Tensor x = filled({100}, Fill::integers, 1);
  const Tensor y = relu(ctx(), x, on(Backend::cuda));  // usable after
  EXPECT_EQ(judged<Unary>({UnaryFn::relu}, {as_operand(x), as_operand(y)}, y, true), "");
}

TEST_F(GpuCalls, MemoryOfAnotherGpuIsRefused) {
  const Tensor x = filled({4, 4}, Fill::integers, 1), there = to_gpu(x);
  const View other(as_operand(there).data(), DType::f32, {4, 4}, Device::cuda(1));
  Tensor out = Tensor::empty({4, 4});
  for (const auto& call : {std::function<void()>([&] { unary_into(ctx(), UnaryFn::relu, other, out.view()); }),
                           std::function<void()>([&] { matmul_into(ctx(), there, there, other); }),
                           std::function<void()>([&] { matmul(ctx(), other, there); }),
                           std::function<void()>([&] { copy_into(ctx(), x, other); }),
                           std::function<void()>([&] { copy(ctx(), other, Device::cpu()); })}) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::unavailable) << error.what();
    EXPECT_TRUE(has(error.what(), "memory of cuda:1 is out of reach: this context uses cuda:0")) << error.what();
  }
}

TEST_F(GpuCalls, CopiesTakeAnyStridesAndLeaveGapsAlone) {
  const Tensor x = filled({6, 5}, Fill::integers, 1);
  for (const Device from : {Device::cpu(), Device::cuda()})
    for (const Device to : {Device::cpu(), Device::cuda()})
      for (const Strides& strides : {Strides{5, 1}, Strides{1, 6}, Strides{8, 1}, Strides{20, 3}}) {
        const Placed source(ctx(), x, strides, from);
        const Tensor dense = copy(ctx(), source.view(), to), dense_here = to_host(dense);
        EXPECT_EQ(dense.device(), to);
        EXPECT_EQ(dense.strides(), row_major({6, 5}));
        for (std::int64_t i = 0; i < 30; ++i) EXPECT_EQ(dense_here.data<float>()[i], x.data<float>()[i]);
        for (const Strides& out : {Strides{5, 1}, Strides{1, 9}, Strides{11, 2}}) {
          const Placed target(ctx(), filled({6, 5}, Fill::integers, 2), out, to);
          const Tensor before = target.memory(ctx());
          copy_into(ctx(), source.view(), target.view());
          const Tensor after = target.memory(ctx());
          std::int64_t found = 0;
          for (std::int64_t at = 0; at < after.elements(); ++at)
            found += std::memcmp(after.data<float>() + at, before.data<float>() + at, sizeof(float)) != 0 ? 0 : 1;
          for (std::int64_t i = 0; i < 6; ++i)
            for (std::int64_t j = 0; j < 5; ++j) {
              const std::int64_t at = i * out[0] + j * out[1];
              EXPECT_EQ(after.data<float>()[at], x.data<float>()[i * 5 + j]);
              found -= before.data<float>()[at] == after.data<float>()[at] ? 1 : 0;
            }
          EXPECT_EQ(found, after.elements() - 30) << "a gap changed";
        }
      }
}

TEST_F(GpuCalls, AQuantizedProductOfFloatsRunsWhereItIsForced) {
  std::vector<std::string> lines;
  ctx().set_log([&](const std::string& line) { lines.push_back(line); });
  const Tensor a = filled({4, 8}, Fill::reals, 1), b = filled({8, 4}, Fill::reals, 2);
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    lines.clear();
    quantized_matmul(ctx(), a, b, on(backend));
    EXPECT_EQ(lines.size(), 3u);
    for (const std::string& line : lines) EXPECT_TRUE(has(line, "-> " + std::string(name(backend)) + ".")) << line;
  }
}

// The time of a CUDA row is that of calls on data that is there, one after the other: what is predicted for it has no
// launch that somebody waits for, and no copies. A whole call has both.
TEST_F(GpuCalls, PredictedTimesAreOfWhatIsTimed) {
  const char *const op = "relu", *const problem = "f32:1000";
  const Decision decision = explain(ctx(), std::string(op) + " " + problem);
  const profile::Problem problems[] = {{op, problem, {}, {}}};
  profile::CompareOptions options;
  options.min_seconds = 1e-4;
  std::size_t seen = 0;
  for (const profile::Row& row : benchmark_operation(ctx(), problems, options).rows) {
    const auto candidate = std::find_if(decision.candidates.begin(), decision.candidates.end(),
                                        [&](const Candidate& c) { return c.kernel == row.kernel && c.accepted; });
    if (row.backend != "cuda" || row.kernel == profile::kAuto || candidate == decision.candidates.end()) continue;
    ++seen;
    EXPECT_DOUBLE_EQ(row.predicted_seconds, candidate->kernel_seconds) << row.kernel;
    EXPECT_DOUBLE_EQ(row.predicted_end_to_end_seconds, candidate->seconds) << row.kernel;
  }
  EXPECT_GT(seen, 0u);
}

TEST_F(GpuCalls, BatchesRunOnStreamsOfTheirOwn) {
  std::vector<Tensor> items;
  for (std::uint64_t i = 0; i < 12; ++i) items.push_back(to_gpu(filled({20, 20}, Fill::integers, i)));
  const std::vector<ConstView> batch(items.begin(), items.end());
  const std::vector<Tensor> results = parallel_batch(ctx(), batch, [](Context& c, ConstView x) {
    MatmulOptions options;
    options.call.backend = Backend::cuda;
    return matmul(c, x, x, options);
  });
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Tensor x = to_host(items[i]), y = to_host(results[i]);
    EXPECT_EQ(judged<Matmul>({}, {as_operand(x), as_operand(x), as_operand(y)}, y, true), "") << i;
  }
}

}  // namespace
}  // namespace tandem::test::gpu_calls_test
