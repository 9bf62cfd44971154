#include "cli/run_view.hpp"

#include <array>
#include <cstdio>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/format.hpp"
#include "cli/run_record.hpp"
#include "cli/table.hpp"

namespace studio::cli {

namespace {

constexpr std::size_t k_label_width = 12;
constexpr std::size_t k_shown_digest = 12;

// "  project     demo"; nothing for an empty text.
std::string labelled(std::string_view label, const std::string& text) {
  if (text.empty()) return {};
  std::string line = concat("  ", label);
  line.append(k_label_width - label.size(), ' ');
  return concat(line, text, "\n");
}

std::string version_range(const model::Artifact& artifact) {
  if (artifact.source)
    return concat("from ", artifact.source->experiment, "/", artifact.source->tag, "@",
                  model::version_name(artifact.source->version));
  if (!artifact.first_version || !artifact.last_version) return "-";
  const std::string last = model::version_name(*artifact.last_version);
  return artifact.first_version == artifact.last_version
             ? last
             : concat(model::version_name(*artifact.first_version), " to ", last);
}

// "0.0712 at step 900 (min)"
std::string metric_text(const model::Metric& metric) {
  std::array<char, 32> number{};
  if (metric.value) std::snprintf(number.data(), number.size(), "%.6g", metric.value->number);
  return concat(printable(metric.name), " ", metric.value ? number.data() : "-",
                metric.value ? concat(" at step ", metric.value->step) : "", " (", model::name_of(metric.goal), ")");
}

Result<void> write_attempt(Output& output, const model::Attempt& attempt, WallTime now) {
  std::string text = concat("\nAttempt ", attempt.number, ": ",
                            painted(model::name_of(attempt.state), colour_of(attempt.state), output.uses_colours()));
  if (!attempt.reason.empty()) text += concat(", ", printable(attempt.reason));
  text += "\n";
  text += labelled("started", concat(format_minute(attempt.started), " UTC"));
  text += labelled("took", duration_text(attempt, now));
  const model::Usage& usage = attempt.usage;
  if (attempt.ended)
    text +=
        labelled("usage", concat(format_seconds(usage.user_seconds), " user, ", format_seconds(usage.system_seconds),
                                 " system, ", format_size(usage.peak_memory_bytes), " memory"));
  for (const model::Metric& metric : attempt.metrics) text += labelled("metric", metric_text(metric));
  std::string process = concat("studio pid ", attempt.process.studio_pid);
  if (attempt.process.script_pid != 0) process += concat(", script pid ", attempt.process.script_pid);
  text += labelled("process", concat(process, " on ", printable(attempt.process.host)));
  TRY(output.write(text));
  Table artifacts({{"ARTIFACT"}, {"MODE"}, {"VERSIONS"}, {"PATH", Align::left, true}});
  for (const model::Artifact& artifact : attempt.artifacts)
    artifacts.add(
        {artifact.tag, std::string(model::name_of(artifact.mode)), version_range(artifact), printable(artifact.path)});
  return artifacts.write(output, "  ");
}

std::string python_text(const model::PythonFacts& python) {
  return concat("Python ", printable(python.version), ", ", counted(python.packages.size(), "package"), ", ",
                printable(python.executable));
}

std::string git_text(const model::GitFacts& git) {
  std::string text = git.commit.empty() ? "no commit yet" : printable(git.commit.substr(0, k_shown_digest));
  if (!git.branch.empty()) text += concat(", ", printable(git.branch));
  if (!git.remote.empty()) text += concat(", ", printable(git.remote));
  if (git.dirty)
    text += concat(", with changes (", format_size(git.diff.size()), git.diff_truncated ? " of them kept)" : ")");
  if (!git.untracked.empty()) text += concat(", ", counted(git.untracked.size(), "untracked file"));
  return text;
}

std::string machine_text(const model::HostFacts& host) {
  std::string text = printable(host.architecture);
  if (!host.cpu_model.empty()) text += concat(", ", printable(host.cpu_model));
  if (host.cpus) text += concat(", ", counted(*host.cpus, "CPU"));
  if (host.memory_bytes) text += concat(", ", format_size(*host.memory_bytes), " memory");
  return text;
}

Result<void> write_environment(Output& output, std::uint64_t number, const model::Environment& environment) {
  std::string text = concat("\nEnvironment of attempt ", number, "\n");
  if (environment.python) text += labelled("python", python_text(*environment.python));
  if (environment.git) text += labelled("git", git_text(*environment.git));
  const model::HostFacts& host = environment.host;
  text += labelled("host", printable(host.name));
  text += labelled("system", concat(printable(host.system), ", kernel ", printable(host.kernel)));
  text += labelled("machine", machine_text(host));
  for (const model::Gpu& gpu : environment.gpus) {
    std::string line = printable(gpu.name);
    if (gpu.memory_bytes) line += concat(", ", format_size(*gpu.memory_bytes));
    if (!gpu.driver.empty()) line += concat(", driver ", printable(gpu.driver));
    text += labelled("gpu", line);
  }
  text += labelled("variables", concat(environment.variables.size(), " (shown with --json)"));
  return output.write(text);
}

}  // namespace

Result<void> write_runs(Output& output, const std::vector<model::Experiment>& experiments, WallTime now) {
  Table table({{"KEY"},
               {"STATUS"},
               {"EXIT"},
               {"PROJECT"},
               {"STARTED (UTC)"},
               {"TOOK", Align::right},
               {"COMMAND", Align::left, true}});
  for (const model::Experiment& experiment : experiments) {
    const model::Attempt& last = experiment.last();
    table.add({experiment.key, Cell(std::string(model::name_of(last.state)), colour_of(last.state)), exit_text(last),
               experiment.project, format_minute(last.started), duration_text(last, now),
               command_text(experiment.command)});
  }
  return table.write(output);
}

Result<void> write_run(Output& output, const model::Experiment& experiment, const std::vector<model::Attempt>& attempts,
                       std::uint64_t number, const std::optional<model::Environment>& environment, WallTime now) {
  const model::State state = experiment.state();
  TRY(output.write(concat(
      experiment.key, ": ", painted(model::name_of(state), colour_of(state), output.uses_colours()), "\n",
      labelled("project", experiment.project), labelled("owner", printable(experiment.owner)),
      labelled("command", command_text(experiment.command)), labelled("directory", printable(experiment.directory)),
      labelled("created", concat(format_minute(experiment.created), " UTC")),
      labelled("deleted", experiment.deleted ? concat(format_minute(*experiment.deleted), " UTC") : ""),
      labelled("studio", printable(experiment.studio_version)))));
  for (const model::Attempt& attempt : attempts) TRY(write_attempt(output, attempt, now));
  return environment ? write_environment(output, number, *environment) : Result<void>();
}

}  // namespace studio::cli
