// The rows of the tables themselves: names and files, what they need, what they predict, what they refuse.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "common/core/stage.h"
#include "tests/support/kernel_tests.h"
#include "tests/support/machines.h"

namespace tandem::test::rows_test {
namespace {

/// Calls visit(entry) for every row of every operation.
template <class Visit>
void for_each_row(Visit visit) {
  for_each_op([&]<class Op>() {
    for (const Entry<Op>& entry : table<Op>()) visit(entry);
  });
}

template <class Op>
typename Op::Problem problem_of(const typename Op::Attributes& attributes, const std::vector<OperandSpec>& operands,
                                int in_place = -1) {
  static char anywhere[kMaxOperands];
  std::vector<View> views;
  for (const OperandSpec& o : operands) views.emplace_back(&anywhere[views.size()], o.dtype, o.shape, o.strides);
  if (in_place >= 0) views[static_cast<std::size_t>(in_place)] = views.back();
  return Op::describe(attributes, views);
}

/// The problems of all cases of an operation.
template <class Op>
std::vector<typename Op::Problem> problems_of_cases(Backend backend) {
  std::vector<typename Op::Problem> out;
  for (int family = 0; family <= static_cast<int>(Family::threads); ++family)
    for (const Case<Op>& c : cases<Op>(static_cast<Family>(family), backend))
      out.push_back(problem_of<Op>(c.attributes, c.operands, c.in_place));
  return out;
}

/// A square problem of the given size, in whichever form and type the operation takes.
template <class Op>
std::optional<typename Op::Problem> square(std::int64_t n) {
  const std::string size = std::to_string(n);
  for (const char* dtype : {"f32", "s8", "u8", "s32", "csr"})
    for (const std::string& sizes :
         {size + "x" + size, size + "x" + size + "x" + size, size + "x" + size + "x" + size + "@0.1"}) {
      try {
        const auto request = Op::parse(Op::op_names().front(), std::string(dtype) + ":" + sizes);
        if (request) return problem_of<Op>(request->attributes, request->operands);
      } catch (const Error&) {  // another form, then
      }
    }
  return std::nullopt;
}

std::filesystem::path root() { return std::filesystem::path(TANDEM_TEST_DATA_DIR).parent_path().parent_path(); }

TEST(Rows, AreNamedAfterTheirFileAndOperation) {
  std::set<std::string> names;
  const std::regex form("(cpu|cuda)\\.[a-z][a-z0-9_]*\\.(f32|bf16|f16|s8|u8|s32|csr)\\.[a-z][a-z0-9_]*");
  for_each_row([&]<class Op>(const Entry<Op>& entry) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name << " is there twice";
    EXPECT_TRUE(std::regex_match(entry.name, form)) << entry.name;
    const std::string backend(name(entry.backend));
    EXPECT_EQ(entry.name.substr(0, entry.name.find('.')), backend);
    EXPECT_EQ(entry.name.substr(backend.size() + 1, std::string(Op::kName).size() + 1), std::string(Op::kName) + ".")
        << entry.name;
    const std::string symbol = identifier(entry.name).substr(backend.size() + 1);
    EXPECT_EQ(kernel_name(entry.backend, symbol), entry.name);
    const std::filesystem::path file =
        root() / backend / "kernels" / (symbol + (entry.backend == Backend::cpu ? ".cpp" : ".cu"));
    std::ifstream in(file);
    ASSERT_TRUE(in) << file;
    for (const char* start : {"// Idea:", "// Limits:", "// Expect:"}) {
      std::string line;
      while (std::getline(in, line) && !line.starts_with(start) && line.starts_with("//")) {
      }
      EXPECT_TRUE(line.starts_with(start)) << file << " does not open with " << start;
    }
  });
}

TEST(Rows, EveryKernelFileIsInItsTable) {
  std::set<std::string> symbols;
  for_each_row([&]<class Op>(const Entry<Op>& entry) { symbols.insert(identifier(entry.name)); });
  for (const char* backend : {"cpu", "cuda"})
    for (const auto& file : std::filesystem::directory_iterator(root() / backend / "kernels"))
      EXPECT_TRUE(symbols.contains(backend + std::string("_") + file.path().stem().string())) << file.path();
}

TEST(Rows, AreWhole) {
  for_each_row([]<class Op>(const Entry<Op>& entry) {
    if (!entry.kernel) {
      EXPECT_EQ(entry.backend, Backend::cuda) << entry.name;  // CPU kernels are always built
      return;
    }
    const Kernel<Op>& k = *entry.kernel;
    EXPECT_TRUE(k.supports != nullptr && k.cost != nullptr && k.workspace != nullptr && k.run != nullptr) << entry.name;
    if (entry.backend == Backend::cpu) {
      EXPECT_EQ(k.needs.compute_capability, 0) << entry.name;
      EXPECT_EQ(k.needs.shared_bytes, 0) << entry.name;
    } else {
      EXPECT_EQ(k.needs.isa, IsaLevel::scalar) << entry.name;
      EXPECT_GE(k.needs.shared_bytes, 0) << entry.name;
    }
  });
}

TEST(Rows, PredictFiniteTimesThatGrow) {
  const Machine machines[] = {plain_machine(), gpu_machine_with(20e9), machine_of({cpu_level(), 1, false})};
  for_each_row([&]<class Op>(const Entry<Op>& entry) {
    if (!entry.kernel) return;
    for (const Machine& machine : machines) {
      double before = 0;
      for (const std::int64_t n : {16, 256, 2048}) {
        const auto problem = square<Op>(n);
        ASSERT_TRUE(problem.has_value()) << Op::kName << ": no square problem of size " << n;
        if (refusal_of(*entry.kernel, *problem, machine)) continue;
        const double seconds = entry.kernel->cost(*problem, machine);
        EXPECT_TRUE(std::isfinite(seconds)) << entry.name;
        EXPECT_GT(seconds, before) << entry.name << " at " << n;
        before = seconds;
      }
    }
    for (const auto& problem : problems_of_cases<Op>(entry.backend)) {
      if (refusal_of(*entry.kernel, problem, machines[1])) continue;
      const double seconds = entry.kernel->cost(problem, machines[1]);
      EXPECT_TRUE(std::isfinite(seconds) && seconds >= 0) << entry.name << ' ' << Op::print(problem);
    }
  });
}

// Pure functions of problem and machine: asked again, in another order, they answer the same.
TEST(Rows, CountAForkWhereTheyFork) {
  Machine machine = plain_machine();
  machine.ceilings.cpu_fork_seconds = 1;
  const auto f32 = [&](std::int64_t size, std::int64_t batch) {
    MatmulProblem problem;
    problem.m = problem.n = problem.k = size;
    problem.batch = batch;
    problem.shared_b = true;
    return find_kernel<Matmul>("cpu.matmul.f32.simd")->kernel->cost(problem, machine);
  };
  EXPECT_LT(f32(8, 1), 1);
  EXPECT_LT(f32(8, 0), 1);
  EXPECT_GE(f32(1024, 1), 1);
  // Whole tiles of it would be worth four threads; it is not.
  QuantizedMatmulProblem bytes;
  bytes.m = 112, bytes.n = 3, bytes.k = 880;
  EXPECT_LT(find_kernel<QuantizedMatmul>("cpu.quantized_matmul.s8.amx")->kernel->cost(bytes, machine), 1);
  bytes.n = 1000;
  EXPECT_GE(find_kernel<QuantizedMatmul>("cpu.quantized_matmul.s8.amx")->kernel->cost(bytes, machine), 1);
}

TEST(Rows, AskForTheSameWorkspaceEveryTime) {
  const Machine machine = gpu_machine_with(20e9);
  for_each_row([&]<class Op>(const Entry<Op>& entry) {
    if (!entry.kernel) return;
    std::vector<typename Op::Problem> accepted;
    std::vector<std::size_t> bytes;
    std::vector<double> seconds;
    for (const auto& problem : problems_of_cases<Op>(entry.backend)) {
      if (refusal_of(*entry.kernel, problem, machine)) continue;
      accepted.push_back(problem);
      bytes.push_back(entry.kernel->workspace(problem, machine));
      seconds.push_back(entry.kernel->cost(problem, machine));
    }
    for (std::size_t i = accepted.size(); i-- > 0;) {
      EXPECT_EQ(entry.kernel->workspace(accepted[i], machine), bytes[i]) << entry.name << ' ' << Op::print(accepted[i]);
      EXPECT_EQ(entry.kernel->cost(accepted[i], machine), seconds[i]) << entry.name << ' ' << Op::print(accepted[i]);
    }
  });
}

// What context.h and docs/numerics.md say of MathMode and Policy::deterministic.
TEST(Rows, NoKernelNeedsALooserPolicy) {
  for_each_row([&]<class Op>(const Entry<Op>& entry) {
    if (!entry.kernel) return;
    EXPECT_EQ(entry.kernel->traits.math, MathMode::strict) << entry.name;
    EXPECT_TRUE(entry.kernel->traits.deterministic) << entry.name;
  });
}

TEST(Rows, RefuseInSentencesAndTheErrorRepeatsThem) {
  const Machine machine = gpu_machine_with(20e9);
  for_each_row([&]<class Op>(const Entry<Op>& entry) {
    if (!entry.kernel) return;
    bool tried = false;
    for (const auto& problem : problems_of_cases<Op>(entry.backend)) {
      const Refusal refusal = refusal_of(*entry.kernel, problem, machine);
      if (!refusal) continue;
      const std::string sentence = refusal;
      EXPECT_GE(sentence.size(), 8u) << entry.name << ": \"" << sentence << '"';
      EXPECT_EQ(sentence.find(entry.name), std::string::npos) << sentence;
      EXPECT_NE(sentence.back(), '.') << sentence;
      if (tried) continue;
      tried = true;
      Situation<Op> situation;
      situation.problem = {problem, problem};
      situation.kernel = entry.name;
      try {
        select<Op>(situation, {}, machine);
        ADD_FAILURE() << entry.name << " was chosen though it refuses " << Op::print(problem);
      } catch (const Error& error) {
        const bool lacking = !detail::refuse_by_machine(detail::facts(entry), machine).empty();
        EXPECT_EQ(error.code(), lacking ? Code::unavailable : Code::unsupported) << error.what();
        // What the machine lacks is said first.
        for (const std::string& part : {lacking ? std::string() : sentence, entry.name, Op::print(problem)})
          EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      }
    }
  });
}

TEST(Rows, SomeCpuKernelTakesEveryCase) {
  Machine least = machine_of({IsaLevel::scalar, 1, false});  // what every machine has
  for_each_op([&]<class Op>() {
    for (const auto& problem : problems_of_cases<Op>(Backend::cpu)) {
      const bool taken = std::any_of(table<Op>().begin(), table<Op>().end(), [&](const Entry<Op>& e) {
        return e.backend == Backend::cpu && e.kernel->needs.isa == IsaLevel::scalar &&
               !refusal_of(*e.kernel, problem, least);
      });
      EXPECT_TRUE(taken) << Op::kName << ' ' << Op::print(problem);
      if (!taken) return;
    }
  });
}

TEST(Rows, SomeCudaKernelTakesEveryCaseOfAnOperationThatHasAny) {
  const Machine machine = gpu_machine_with(20e9);
  for_each_op([&]<class Op>() {
    const auto built = [](const Entry<Op>& e) { return e.backend == Backend::cuda && e.kernel; };
    if (std::none_of(table<Op>().begin(), table<Op>().end(), built)) return;
    for (const auto& problem : problems_of_cases<Op>(Backend::cuda)) {
      const bool taken = std::any_of(table<Op>().begin(), table<Op>().end(), [&](const Entry<Op>& e) {
        return built(e) && !refusal_of(*e.kernel, problem, machine);
      });
      EXPECT_TRUE(taken) << Op::kName << ' ' << Op::print(problem);
      if (!taken) return;
    }
  });
}

}  // namespace
}  // namespace tandem::test::rows_test
