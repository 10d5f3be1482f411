#include "bench/report/page.h"

#include <fmt/format.h>
#include <tandem/error.h>

#include "bench/report/html.h"
#include "bench/report/model_section.h"
#include "bench/report/sections.h"
#include "common/io/untrusted.h"
#include "common/profile/read_json.h"

namespace tandem::report {
namespace {

const profile::RunFacts& facts_of(const Source& source) {
  if (source.is_model) return source.model;
  return source.comparison;
}

/// What a reader wants to know first: which machine, when, how long.
std::string headline(const Source& source) {
  const profile::RunFacts& facts = facts_of(source);
  std::string gpus;
  for (const GpuInfo& gpu : facts.machine.gpus) gpus += " + " + gpu.name;
  return fmt::format(
      "<header class=\"run\"><p class=\"source\">{}</p><h1>{}</h1><p class=\"meta\"><span>{}</span>"
      "<span>{} threads</span><span>{}</span><span>library {}</span></p></header>\n",
      esc(source.name), esc(facts.machine.cpu.name + gpus), esc(name(facts.machine.cpu.isa)), facts.roof.threads,
      esc(facts.date), esc(facts.library));
}

std::string body_of(const Source& source, std::size_t run) {
  if (source.is_model) return model_sections(source.model) + machine_section(source.model);
  const profile::Comparison& c = source.comparison;
  return summary_section(c) + ceilings_section(c) + sizes_section(c) + compression_section(c) + table_section(c, run) +
         machine_section(c) + commands_section(c);
}

/// Replaces the one place where {{name}} stands.
void fill(std::string& page, const std::string& name, const std::string& text) {
  const std::string mark = "{{" + name + "}}";
  page.replace(page.find(mark), mark.size(), text);
}

}  // namespace

Source read_source(const std::string& path) {
  Source source;
  source.name = path;
  const profile::Json json = profile::parse_results(profile::load_results(path), path);
  const std::string schema = profile::schema_of(json, path);
  source.is_model = schema == models::kSchema;
  if (source.is_model)
    source.model = models::result_of(json, path);
  else if (schema == profile::kComparisonSchema)
    source.comparison = profile::comparison_of(json, path);
  else
    throw Error(Code::io_error, fmt::format("{}: its schema is '{}', expected '{}' or '{}'", path,
                                            io::printable(schema), profile::kComparisonSchema, models::kSchema));
  source.json = json.dump();
  return source;
}

std::string to_html(const std::vector<Source>& sources) {
  std::string body, data;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    body += fmt::format("<article id=\"run{}\">\n{}{}</article>\n", i, headline(sources[i]), body_of(sources[i], i));
    data += fmt::format("<script type=\"application/json\" class=\"data\">{}</script>\n", script_json(sources[i].json));
  }
  std::string page = Assets::page;
  // The last first: what is put in is never looked through.
  fill(page, "script", Assets::script);
  fill(page, "data", data);
  fill(page, "body", body);
  fill(page, "style", Assets::style);
  fill(page, "title", esc(facts_of(sources.front()).machine.cpu.name));
  return page;
}

}  // namespace tandem::report
