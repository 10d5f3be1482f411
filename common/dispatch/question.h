// What explain() is asked: an operation, its problem, where the operands are, and how often those that stay are used.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <tandem/context.h>
#include <tandem/error.h>

namespace tandem {

struct Question {
  std::string op, text;                                // "matmul", "f32:512x512x512"
  std::vector<Device> devices;                         // of the first operands; the others are on the host
  std::vector<std::pair<std::string, Device>> places;  // by name; they go before
  float reuse = 1;
};

/// Reads "matmul f32:512x512x512 b:cuda:0 reuse=3". Throws Error(invalid_argument).
Question parse_question(const std::string& words, const std::vector<Device>& devices = {});

/// What would be chosen, with every candidate. Throws Error(invalid_argument) for what the operation cannot parse,
/// Error(unavailable) for an operand on a GPU that is not there, and as select() does.
Decision decide(Context& ctx, const Question& question);

/// decide(), with what explain() adds to `why`: from where on the GPU would be faster.
Decision explain_question(Context& ctx, const Question& question);

/// Bytes of all operands. Throws Error(invalid_argument).
std::int64_t operand_bytes(const Question& question);

/// The result of answer(), whose Error(invalid_argument) is made to say which question it is about.
template <class Answer>
auto answering(const char* who, const std::string& words, Answer answer) {
  try {
    return answer();
  } catch (const Error& error) {
    if (error.code() != Code::invalid_argument) throw;
    throw Error(error.code(), fmt::format("{} '{}': {}", who, words, error.what()));
  }
}

}  // namespace tandem
