// Operands that are on the host and on the GPU: what a call would copy, on a made-up machine; and calls that may copy
// nothing, where there is a GPU.
#include <tandem/trace.h>
#include <tandem/weights.h>

#include <cstring>

#include "common/dispatch/execute.h"
#include "tests/support/calls.h"
#include "tests/support/left_out.h"
#include "tests/support/machines.h"

namespace tandem::test::twins_test {
namespace {

constexpr Device kThere = Device::cuda();

// Views without memory that anybody reads.
char memory[64];
View at(int place, const Shape& shape, Device device = Device::cpu()) {
  return View(memory + place, DType::f32, shape, device);
}

class Predicted : public ::testing::Test {
 protected:
  Predicted() : ctx_(made_up()) {}
  static ContextOptions made_up() {
    ContextOptions options;
    options.machine = gpu_machine_with(10e9);
    return options;
  }
  Copies copies(Backend backend, std::span<const View> operands, std::span<const Twin> twins) {
    return situation(operands, twins).copies[static_cast<std::size_t>(backend)];
  }
  Situation<Matmul> situation(std::span<const View> operands, std::span<const Twin> twins) {
    CallOptions call;
    call.twins = twins;
    return make_situation<Matmul>(ctx_.impl(), {}, operands, call);
  }
  Context ctx_;
};

TEST_F(Predicted, ATwinCostsNoCopyOnEitherSide) {
  const View b = at(1, {300, 200}), b_there = at(2, {300, 200}, kThere);
  const Twin twins[] = {{b, b_there}};
  const View on_host[] = {at(0, {10, 300}), b, at(3, {10, 200})};
  EXPECT_EQ(copies(Backend::cpu, on_host, twins), Copies{});
  EXPECT_EQ(copies(Backend::cuda, on_host, twins), (Copies{10 * 300 * 4, 10 * 200 * 4, 1, 1}));
  EXPECT_EQ(copies(Backend::cuda, on_host, {}), (Copies{(10 * 300 + 300 * 200) * 4, 10 * 200 * 4, 2, 1}));
  const View on_gpu[] = {at(0, {10, 300}, kThere), b, at(3, {10, 200}, kThere)};
  EXPECT_EQ(copies(Backend::cuda, on_gpu, twins), Copies{});
  EXPECT_EQ(copies(Backend::cpu, on_gpu, twins), (Copies{10 * 300 * 4, 10 * 200 * 4, 1, 1}));
  // The other way round: the operand that is passed is that of the GPU.
  const Twin back[] = {{b_there, b}};
  const View passed[] = {at(0, {10, 300}), b_there, at(3, {10, 200})};
  EXPECT_EQ(copies(Backend::cpu, passed, back), Copies{});
  EXPECT_EQ(copies(Backend::cuda, passed, back), (Copies{10 * 300 * 4, 10 * 200 * 4, 1, 1}));
}

TEST_F(Predicted, TheSelectionKnowsOfTwins) {
  const View b = at(1, {3000, 2000}), b_there = at(2, {3000, 2000}, kThere);
  const Twin twins[] = {{b, b_there}};
  const View operands[] = {at(0, {1, 3000}), b, at(3, {1, 2000})};
  const auto moved = [&](std::span<const Twin> known) {
    const Situation<Matmul> s = situation(operands, known);
    return detail::predict(Backend::cuda, s.copies[1], 0, ctx_.machine()).copy_in;
  };
  EXPECT_GT(moved({}), 3000 * 2000 * 4 / 10e9);
  EXPECT_LT(moved(twins), 20e-6);
}

TEST_F(Predicted, EachSideSeesTheStridesOfItsOwnCopy) {
  const View b = at(1, {300, 200});
  const View b_there(memory + 2, DType::f32, {300, 200}, Strides{1, 300}, kThere);
  const Twin twins[] = {{b, b_there}};
  const View operands[] = {at(0, {10, 300}), b, at(3, {10, 200})};
  EXPECT_EQ(situation(operands, twins).on(Backend::cpu).b, Layout::row);
  EXPECT_EQ(situation(operands, twins).on(Backend::cuda).b, Layout::column);
}

TEST_F(Predicted, OnlyTheSameInputHasTheTwin) {
  const View b = at(1, {30, 20});
  const View operands[] = {at(0, {10, 30}), b, at(3, {10, 20})};
  const Copies all = copies(Backend::cuda, operands, {});
  const Twin others[] = {{at(1, {20, 30}), at(2, {20, 30}, kThere)},
                         {at(4, {30, 20}), at(2, {30, 20}, kThere)},
                         {at(3, {10, 20}), at(2, {10, 20}, kThere)},  // the result
                         {at(1, {30, 20}), at(2, {30, 20})}};         // on the same side
  EXPECT_EQ(copies(Backend::cuda, operands, others), all);
  const Twin wrong[] = {{b, at(2, {30, 21}, kThere)}};
  const Error error = error_of([&] { copies(Backend::cuda, operands, wrong); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  EXPECT_EQ(std::string(error.what()), "matmul: an operand is 30x20 of f32, but its twin is 30x21 of f32");
}

class Resident : public ::testing::Test {
 protected:
  void SetUp() override {
    TANDEM_NEED_GPU();
    for (std::int64_t i = 0; i < w_.elements(); ++i)
      if (i % 4 != 0) w_.data<float>()[i] = 0;
  }
  static ContextOptions only(Backend backend) {
    ContextOptions options;
    options.threads = 1;
    options.policy.backend = backend;
    options.policy.transfers = Transfers::forbid;
    return options;
  }
  std::vector<Weights> every_form(Context& ctx) const {
    std::vector<Weights> all;
    all.push_back(Weights::dense(ctx, w_));
    all.push_back(Weights::dense(ctx, w_, {DType::bf16}));
    all.push_back(Weights::quantized(ctx, w_));
    all.push_back(Weights::csr(ctx, w_));
    return all;
  }
  // Small integers: every kernel of every form gives the same bits.
  Tensor x_ = filled({6, 48}, Fill::integers, 1, 48), w_ = filled({48, 20}, Fill::integers, 2, 48);
};

TEST_F(Resident, UploadedWeightsServeBothSidesWithoutACopy) {
  Context ctx, here(only(Backend::cpu)), there(only(Backend::cuda));
  const Tensor x_there = x_.to(there, kThere);
  for (const Weights& plain : every_form(ctx)) {
    const Weights both = plain.upload(ctx);
    EXPECT_EQ(both.bytes().device, plain.bytes().host);
    EXPECT_EQ(both.bytes().host, plain.bytes().host);
    EXPECT_EQ(both.upload(ctx).bytes().total(), both.bytes().total());
    const Tensor a = linear(here, x_, both);  // an error if anything were copied
    EXPECT_EQ(here.last().backend, Backend::cpu);
    const Tensor b = linear(there, x_there, both);
    EXPECT_EQ(there.last().backend, Backend::cuda);
    EXPECT_EQ(b.device(), kThere);
    const Tensor back = b.to(there, Device::cpu());
    EXPECT_EQ(std::memcmp(a.data<float>(), back.data<float>(), 6 * 20 * sizeof(float)), 0) << name(plain.form());
    EXPECT_EQ(error_of([&] { linear(there, x_there, plain); }).code(), Code::unsupported) << "these must be copied";
  }
}

// The policy speaks of operands of calls; the recorder sees every copy.
TEST_F(Resident, Bf16WeightsRoundAnInputOnTheGpuThere) {
  Context there(only(Backend::cuda));
  const Weights weights = Weights::dense(there, w_, {DType::bf16}).upload(there, false);
  const Tensor x = filled({48, 12}, Fill::reals, 3).to(there, kThere), rounded = convert(there, x, DType::bf16);
  const Tensor expected = linear(there, rounded.view().transposed(), weights).to(there, Device::cpu());
  trace::RecorderOptions options;
  options.stages = true;
  trace::Recorder recorder(options);
  trace::attach(there, recorder);
  const Tensor y = linear(there, x.view().transposed(), weights);
  trace::detach(there);
  std::vector<std::string> calls;
  for (const trace::Span& span : recorder.spans()) {
    if (span.kind == trace::Kind::call) calls.push_back(span.kernel.substr(0, span.kernel.rfind('.')));
    if (span.kind != trace::Kind::stage) continue;
    for (const trace::Stage stage : {trace::Stage::host_to_device, trace::Stage::device_to_host, trace::Stage::wait})
      EXPECT_NE(span.stage, stage) << trace::name(stage);
  }
  EXPECT_EQ(calls, (std::vector<std::string>{"cuda.convert.bf16", "cuda.matmul.bf16"}));
  const Tensor back = y.to(there, Device::cpu());
  EXPECT_EQ(std::memcmp(back.data<float>(), expected.data<float>(), 12 * 20 * sizeof(float)), 0);
}

TEST_F(Resident, WeightsOnTheGpuAloneAreFetchedForTheCpu) {
  Context ctx, there(only(Backend::cuda));
  const Tensor x_there = x_.to(there, kThere);
  for (const Weights& plain : every_form(ctx)) {
    const Weights alone = plain.upload(ctx, false);
    EXPECT_EQ(alone.bytes().host, 0);
    EXPECT_EQ(alone.bytes().device, plain.bytes().host);
    EXPECT_EQ(alone.inputs(), 48);
    LinearOptions on_cpu;
    on_cpu.call.backend = Backend::cpu;
    const Tensor expected = linear(ctx, x_, plain, on_cpu), fetched = linear(ctx, x_, alone, on_cpu);
    EXPECT_EQ(std::memcmp(fetched.data<float>(), expected.data<float>(), 6 * 20 * sizeof(float)), 0);
    const Tensor back = linear(there, x_there, alone).to(there, Device::cpu());
    EXPECT_EQ(std::memcmp(back.data<float>(), expected.data<float>(), 6 * 20 * sizeof(float)), 0);
  }
}

TEST_F(Resident, UploadedWeightsOutliveTheirContextAndServeThreads) {
  Weights both;
  Tensor expected;
  {
    Context ctx;
    both = Weights::dense(ctx, w_).upload(ctx);
    expected = linear(ctx, x_, both);
  }
  Context first(only(Backend::cuda)), second(only(Backend::cuda));
  for (Context* ctx : {&first, &second}) {
    const Tensor y = linear(*ctx, x_.to(*ctx, kThere), both).to(*ctx, Device::cpu());
    EXPECT_EQ(std::memcmp(y.data<float>(), expected.data<float>(), 6 * 20 * sizeof(float)), 0);
  }
}

TEST(Upload, NeedsAGpuAndAMatrix) {
  ContextOptions options;
  options.use_gpu = false;
  Context ctx(options);
  const Error none = error_of([&] { Weights::dense(ctx, Tensor::zeros({2, 3})).upload(ctx); });
  EXPECT_EQ(none.code(), Code::unavailable);
  EXPECT_TRUE(has(none.what(), "use_gpu = false")) << none.what();
  EXPECT_EQ(error_of([&] { Weights().upload(ctx); }).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace tandem::test::twins_test
