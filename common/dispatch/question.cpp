#include "common/dispatch/question.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/ranges.h>

#include "common/dispatch/execute.h"
#include "common/ops/problem.h"

namespace tandem {
namespace {

float parse_reuse(std::string_view text) {
  float reuse = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), reuse);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Code::invalid_argument, fmt::format("reuse={}: write a number of calls, such as reuse=100", text));
  return reuse;  // make_situation refuses what is below 1
}

/// Where each operand of a request is said to be.
template <class Op>
std::vector<Device> devices_of(const Question& question, const Request<Op>& request) {
  const std::size_t count = request.operands.size();
  if (question.devices.size() > count)
    throw Error(Code::invalid_argument,
                fmt::format("{} devices are given, and there are {} operands", question.devices.size(), count));
  std::vector<Device> devices = question.devices;
  devices.resize(count, Device::cpu());
  for (const auto& [name, device] : question.places) {
    std::vector<std::string> names;
    for (const OperandSpec& spec : request.operands) names.push_back(spec.name);
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      throw Error(Code::invalid_argument,
                  fmt::format("there is no operand '{}'; the operands are {}", name, fmt::join(names, ", ")));
    devices[static_cast<std::size_t>(at - names.begin())] = device;
  }
  return devices;
}

std::int64_t bytes_of(const OperandSpec& spec) {
  return element_count(spec.shape) * static_cast<std::int64_t>(size_of(spec.dtype));
}

}  // namespace

Question parse_question(const std::string& words, const std::vector<Device>& devices) {
  Question question;
  question.devices = devices;
  std::istringstream stream(words);
  stream >> question.op >> question.text;
  for (std::string word; stream >> word;) {
    const std::size_t colon = word.find(':');
    if (word.starts_with("reuse="))
      question.reuse = parse_reuse(std::string_view(word).substr(6));
    else if (colon != std::string::npos && colon > 0)
      question.places.emplace_back(word.substr(0, colon), parse_device(std::string_view(word).substr(colon + 1)));
    else
      throw Error(Code::invalid_argument,
                  fmt::format("'{}' is neither the place of an operand, such as b:cuda:0, nor reuse=N", word));
  }
  return question;
}

Decision decide(Context& ctx, const Question& question) {
  Decision decision;
  with_problem(question.op, question.text, [&]<class Op>(const Request<Op>& request) {
    const std::vector<Device> devices = devices_of(question, request);
    const std::vector<View> operands = views_without_memory(request, devices);
    for (std::size_t i = 0; i < devices.size(); ++i) {
      const OperandSpec& spec = request.operands[i];
      decision.operands.push_back({spec.name, devices[i], bytes_of(spec), i + result_count<Op>() >= devices.size()});
    }
    CallOptions call;
    call.expected_reuse = decision.expected_reuse = question.reuse;
    const Situation<Op> situation = make_situation<Op>(ctx.impl(), request.attributes, operands, call);
    select<Op>(situation, ctx.policy(), ctx.machine(), &decision, ctx.impl().tuning.get());
    decision.model = ctx.impl().model;
    if constexpr (requires { Op::remark(situation.on(Backend::cpu), ctx.machine()); })
      decision.why += "; " + Op::remark(situation.on(Backend::cpu), ctx.machine());
  });
  return decision;
}

std::int64_t operand_bytes(const Question& question) {
  std::int64_t bytes = 0;
  with_problem(question.op, question.text, [&]<class Op>(const Request<Op>& request) {
    for (const OperandSpec& spec : request.operands) bytes += bytes_of(spec);
  });
  return bytes;
}

}  // namespace tandem
