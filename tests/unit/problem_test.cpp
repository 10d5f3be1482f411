// Problem strings: what they mean, and the round trip through describe and print.
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>

#include "common/core/stage.h"
#include "common/ops/all.h"

namespace tandem::problem_test {
namespace {

template <class Op>
std::string printed(std::string_view op, std::string_view text) {
  static char anywhere[kMaxOperands];
  const std::optional<Request<Op>> request = Op::parse(op, text);
  if (!request) return "another operation";
  std::vector<View> views;
  for (const OperandSpec& o : request->operands)
    views.emplace_back(&anywhere[views.size()], o.dtype, o.shape, o.strides);
  const typename Op::Problem problem = Op::describe(request->attributes, views);
  EXPECT_EQ(Op::op_name(problem), op);
  return Op::print(problem);
}

std::string round_trip(const std::string& problem) {
  const std::size_t space = problem.find(' ');
  const std::string op = problem.substr(0, space), text = problem.substr(space + 1);
  std::string result;
  int takers = 0;
  for_each_op([&]<class Op>() {
    if (!Op::parse(op, text)) return;
    ++takers;
    result = op + " " + printed<Op>(op, text);
  });
  EXPECT_EQ(takers, 1) << problem;
  return result;
}

std::string sentence(const std::string& problem) {
  const std::size_t space = problem.find(' ');
  const std::string op = problem.substr(0, space);
  const std::string text = space == std::string::npos ? "" : problem.substr(space + 1);
  try {
    bool known = false;
    for_each_op([&]<class Op>() { known = Op::parse(op, text).has_value() || known; });
    return known ? "accepted" : "unknown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument) << problem;
    return error.what();
  }
}

TEST(Problems, RoundTrip) {
  for (const char* problem : {"matmul f32:1024x512x256",
                              "matmul f32:0x5x7",
                              "matmul f32:5x7x0",
                              "matmul f32:64x32x16,bias,act=gelu_tanh",
                              "matmul f32:64x32x16,ta",
                              "matmul f32:64x32x16,tb",
                              "matmul f32:64x32x16,ta,tb,bias,act=relu,beta=1",
                              "matmul f32:5x6x7*3",
                              "matmul f32:1x1x1*16777217",
                              "matmul f32:5x6x7*0",
                              "transpose f32:3x5*0",
                              "matmul bf16:64x32x16,tb",
                              "matmul bf16:64x32x16*3,out=f32,bias,act=relu",
                              "relu f32:1000000",
                              "gelu_erf f32:7",
                              "exp f32:1",
                              "transpose f32:3x5",
                              "transpose s8:3x5",
                              "transpose bf16:128x64*7",
                              "convert bf16:1000",
                              "convert f32:7",
                              "convert f16:9",
                              "convert f32:7,from=f16"})
    EXPECT_EQ(round_trip(problem), problem);
}

TEST(Problems, PrintTheirCollapsedForm) {
  EXPECT_EQ(round_trip("relu f32:10x20x5"), "relu f32:1000");
  EXPECT_EQ(round_trip("add f32:7x9"), "add f32:63");
  EXPECT_EQ(round_trip("convert bf16:7x9"), "convert bf16:63");
  EXPECT_EQ(round_trip("mul f32:7x9,row"), "mul f32:63,b=9");
  EXPECT_EQ(round_trip("softmax f32:128x10"), "softmax f32:128x10");
  EXPECT_EQ(round_trip("log_softmax f32:4x128x10,axis=1"), "log_softmax f32:40x128,strided");
  EXPECT_EQ(round_trip("sum f32:100x10"), "sum f32:1x1000");
  EXPECT_EQ(round_trip("max f32:100x10,axis=1"), "max f32:100x10");
  EXPECT_EQ(round_trip("dot f32:4096"), "dot f32:1x4096");
}

TEST(Problems, MatmulOperands) {
  const Request<Matmul> r = *Matmul::parse("matmul", "f32:3x4x5*2,ta,bias,beta=0.5,act=relu");
  ASSERT_EQ(r.operands.size(), 4u);
  EXPECT_EQ(to_string(r.operands[0].shape), "2x3x5");
  EXPECT_EQ(to_string(r.operands[0].strides), "15x1x3");
  EXPECT_EQ(to_string(r.operands[1].shape), "2x5x4");
  EXPECT_EQ(to_string(r.operands[2].shape), "4");
  EXPECT_EQ(to_string(r.operands[3].shape), "2x3x4");
  EXPECT_EQ(r.attributes.beta, 0.5f);
  EXPECT_EQ(r.attributes.activation, Activation::relu);
  EXPECT_TRUE(r.attributes.bias);
}

// a of one item and columns of b and c that follow each other: the transposed product has one matrix for all items.
TEST(Problems, BatchesWithOneMatrixAreOneProduct) {
  std::vector<float> data(3 * 4 * 5 * 2);
  const auto view = [&](const Shape& shape, const Strides& strides) {
    return View(data.data(), DType::f32, shape, strides);
  };
  const View rows[] = {view({2, 3, 5}, {15, 5, 1}), view({5, 4}, {4, 1}), view({2, 3, 4}, {12, 4, 1})};
  const View columns[] = {view({3, 5}, {5, 1}), view({2, 5, 4}, {20, 1, 5}), view({2, 3, 4}, {12, 1, 3})};
  EXPECT_EQ(Matmul::print(Matmul::describe({}, rows)), "f32:6x4x5");
  EXPECT_EQ(Matmul::print(Matmul::describe({}, columns)), "f32:8x3x5,tb");
  const View apart[] = {columns[0], columns[1], view({2, 3, 4}, {13, 1, 3})};
  EXPECT_EQ(Matmul::describe({}, apart).batch, 2);
}

TEST(Problems, ProductsOfBf16) {
  const Request<Matmul> plain = *Matmul::parse("matmul", "bf16:3x4x5,bias");
  EXPECT_EQ(plain.operands[0].dtype, DType::bf16);
  EXPECT_EQ(plain.operands[1].dtype, DType::bf16);
  EXPECT_EQ(plain.operands[2].dtype, DType::f32);
  EXPECT_EQ(plain.operands[3].dtype, DType::bf16);
  EXPECT_EQ(Matmul::parse("matmul", "bf16:3x4x5,out=f32")->operands[2].dtype, DType::f32);
  EXPECT_EQ(printed<Matmul>("matmul", "bf16:3x4x5,out=bf16"), "bf16:3x4x5");
  MatmulProblem p;
  p.dtype = DType::bf16;
  p.m = 2, p.n = 3, p.k = 5;
  p.bias = true;
  EXPECT_DOUBLE_EQ(Matmul::bytes(p), 2 * (2 * 5 + 5 * 3) + 4 * 2 * 3 + 4 * 3);
}

TEST(Problems, RefuseWhatTheyCannotRead) {
  const std::pair<const char*, const char*> bad[] = {
      {"matmul", "matmul ''"},
      {"matmul 3x4x5", "no ':' after the dtype"},
      {"matmul f64:3x4x5", "f64"},
      {"matmul f32:3x4", "three sizes are needed"},
      {"matmul f32:3x4x5x6", "three sizes are needed"},
      {"matmul f32:3x4xfive", "sizes are numbers"},
      {"matmul f32:3x-4x5", "sizes are numbers"},
      {"matmul f32:3xx5", "sizes are numbers"},
      {"matmul f32:3x4x", "sizes are numbers"},
      {"matmul f32:", "sizes are numbers"},
      {"matmul f32:99999999999999999999x1x1", "sizes are numbers"},
      {"matmul f32:4000000000x4000000000x4000000000", "more elements than memory can address"},
      {"matmul s8:3x4x5", "f32 or bf16"},
      {"matmul f32:3x4x5,out=bf16", "the result is bf16, but products of f32 are f32"},
      {"matmul bf16:3x4x5,out=s32", "the result is s32, but products of bf16 are bf16 or f32"},
      {"matmul f32:3x4x5,tc", "unknown option 'tc'"},
      {"matmul f32:3x4x5,", "an option is empty"},
      {"matmul f32:3x4x5,act=swish", "swish"},
      {"matmul f32:3x4x5,beta=x", "'x' is not a number"},
      {"matmul f32:3x4x5*", "a batch is a number >= 0; write f32|bf16:MxNxK[*BATCH]"},
      {"matmul f32:3x4x5*2.5", "a batch is a number"},
      {"matmul f32:3x4x5*inf", "a batch is a number"},
      {"matmul f32:3x4x5*1e30", "a batch is a number"},
      {"matmul f32:3x4x5*-1", "a batch is a number"},
      {"matmul f32:3x4x5*2*3", "a batch is a number"},
      {"matmul f32:3x4x5*2x3", "a batch is a number"},
      {"matmul f32:3x4x5*99999999999999999999", "a batch is a number"},
      {"matmul f32:3x4x5*9000000000000000000", "more elements than memory can address"},
      {"matmul f32:3x4x5,batch=3", "unknown option 'batch=3'"},
      {"transpose f32:3x5*3abc", "a batch is a number >= 0; write DTYPE:ROWSxCOLS[*BATCH]"},
      {"transpose f32:3x5*", "a batch is a number"},
      {"transpose f32:3x5,batch=3", "unknown option 'batch=3'"},
      {"relu f32:10*2", "there are no batches of it"},
      {"quantized_matmul s8:3x4x5*2", "there are no batches of it"},
      {"spmm csr:3x4x5*2@0.5", "there are no batches of it"},
      {"relu f32:10,axis=1", "unknown option 'axis=1'"},
      {"relu f32:1x2x3x4x5x6x7x8x9", "more sizes than a tensor has dimensions"},
      {"add f32:3x4,col", "unknown option 'col'"},
      {"softmax f32:3x4,axis=2", "axis 2"},
      {"softmax f32:3x4,axis=", "'axis=' is no axis"},
      {"softmax f32:3x4,axis=99999999999", "'axis=99999999999' is no axis"},
      {"quantize s8:3x4,axis=99999999999", "'axis=99999999999' is no axis"},
      {"quantize s8:3x4,axis=1x", "'axis=1x' is no axis"},
      {"sum f32:3x4,axis=-3", "axis -3"},
      {"sum f32:3x4,axes=1", "unknown option 'axes=1'; only axis=N is known"},
      {"transpose f32:3", "two sizes are needed"},
      {"convert s8:3", "f32 to bf16 or f16, and these to f32, are supported"},
      {"convert bf16:3,from=f16", "unknown option 'from=f16'"},
      {"convert bf16:3,axis=0", "unknown option 'axis=0'"},
  };
  for (const auto& [problem, part] : bad) {
    const std::string text = sentence(problem);
    EXPECT_NE(text.find(part), std::string::npos) << problem << ": " << text;
  }
  EXPECT_EQ(sentence("product f32:3x4x5"), "unknown");
}

TEST(Problems, NormaliseProducts) {
  static float m[4096];
  const auto describe = [](const View& a, const View& b, const View& c, const MatmulAttributes& attributes = {}) {
    const View operands[] = {a, b, c};
    return Matmul::describe(attributes, operands);
  };
  // One b for a dense batch: a taller product.
  const MatmulProblem folded = describe(View(m, {3, 4, 5}), View(m, {5, 6}), View(m, {3, 4, 6}));
  EXPECT_EQ(folded.m, 12);
  EXPECT_EQ(folded.batch, 1);
  // Padded items cannot be folded.
  const View padded(m, DType::f32, {3, 4, 5}, {25, 5, 1});
  EXPECT_EQ(describe(padded, View(m, {5, 6}), View(m, {3, 4, 6})).batch, 3);
  EXPECT_TRUE(describe(padded, View(m, {5, 6}), View(m, {3, 4, 6})).shared_b);
  // A column-major result is the transposed product.
  const MatmulProblem turned = describe(View(m, {3, 5}), View(m, {5, 7}), View(m, {7, 3}).transposed());
  EXPECT_EQ(turned.m, 7);
  EXPECT_EQ(turned.n, 3);
  EXPECT_EQ(turned.c, Layout::row);
  EXPECT_EQ(turned.a, Layout::column);
  EXPECT_EQ(turned.b, Layout::column);
  // Rows and columns of one element count as dense either way.
  EXPECT_EQ(describe(View(m, DType::f32, {4, 1}, {9, 9}), View(m, {1, 3}), View(m, {4, 3})).a, Layout::row);
  EXPECT_EQ(describe(View(m, DType::f32, {1, 4}, {9, 9}), View(m, {4, 3}), View(m, {1, 3})).a, Layout::column);
}

TEST(Problems, CountWorkInDouble) {
  MatmulProblem p;
  p.m = p.n = p.k = std::int64_t{1} << 21;
  p.batch = 4;
  EXPECT_DOUBLE_EQ(Matmul::flops(p), 0x1p66);
  EXPECT_GT(Matmul::bytes(p), 0x1p45);
}

TEST(Problems, EveryNameIsTakenByItsOperation) {
  for_each_op([]<class Op>() {
    const std::vector<std::string> names = Op::op_names();
    EXPECT_FALSE(names.empty());
    for (const std::string& name : names) {
      EXPECT_FALSE(name.empty());
      int takers = 0;
      for_each_op([&]<class Other>() {
        const std::vector<std::string> others = Other::op_names();
        takers += static_cast<int>(std::count(others.begin(), others.end(), name));
      });
      EXPECT_EQ(takers, 1) << name;
    }
    EXPECT_FALSE(Op::parse("no such operation", "f32:1").has_value());
  });
}

}  // namespace
}  // namespace tandem::problem_test
