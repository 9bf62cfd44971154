#include "engine/git_facts.hpp"

#include <array>
#include <chrono>
#include <string_view>
#include <vector>

#include "base/concat.hpp"
#include "engine/variables.hpp"
#include "os/child.hpp"

namespace studio::engine {

namespace {

constexpr std::size_t k_most_untracked_bytes = std::size_t{4} << 20;

// Studio may itself have been started by git (a hook, an alias): then these name that repository.
constexpr std::array<std::string_view, 10> k_foreign_variables{
    "GIT_DIR",    "GIT_WORK_TREE",     "GIT_INDEX_FILE",       "GIT_COMMON_DIR", "GIT_NAMESPACE",
    "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_OBJECT_DIRECTORY", "GIT_DIFF_OPTS",  "GIT_ALTERNATE_OBJECT_DIRECTORIES"};

std::vector<std::string> git_environment() {
  std::vector<std::string> environment = os::own_environment();
  std::erase_if(environment, [](std::string_view entry) {
    const std::string_view name = entry.substr(0, entry.find('='));
    for (const std::string_view foreign : k_foreign_variables)
      if (name == foreign) return true;
    return false;
  });
  // `git diff` would write the index back, and a lock on it could make a `git commit` of the user's fail.
  os::set_variable(environment, "GIT_OPTIONAL_LOCKS", "0");
  os::set_variable(environment, "GIT_TERMINAL_PROMPT", "0");
  os::set_variable(environment, "GIT_NO_LAZY_FETCH", "1");
  return environment;
}

class Git {
 public:
  Git(std::string directory, std::stop_token stop) : directory_(std::move(directory)), stop_(std::move(stop)) {}

  void move_to(std::string directory) { directory_ = std::move(directory); }

  // What it printed, also when that was cut off; nothing if it failed.
  std::optional<os::ProgramOutput> run(const std::vector<std::string>& arguments,
                                       std::size_t most_bytes = std::size_t{1} << 20) const {
    // Neither the monitor nor a hook is to be run on our account.
    std::vector<std::string> argv{"git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    auto output = os::run_and_read({.argv = std::move(argv),
                                    .environment = environment_,
                                    .directory = directory_,
                                    .timeout = std::chrono::seconds(60),
                                    .most_bytes = most_bytes,
                                    .niceness = 10},
                                   stop_);
    if (!output || !(output->succeeded() || output->truncated)) return std::nullopt;
    return std::move(*output);
  }

  // One value, without the line end behind it; "" if it failed.
  std::string value(const std::vector<std::string>& arguments) const {
    auto output = run(arguments);
    if (!output) return {};
    if (output->text.ends_with('\n')) output->text.pop_back();
    return std::move(output->text);
  }

 private:
  std::string directory_;
  std::stop_token stop_;
  std::vector<std::string> environment_ = git_environment();
};

// The parts that each end with a NUL; what follows the last NUL was cut off.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (auto end = text.find('\0'); end != std::string_view::npos; end = text.find('\0')) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::string branch_of(const Git& git) {
  static constexpr std::string_view k_heads = "refs/heads/";
  std::string reference = git.value({"symbolic-ref", "--quiet", "HEAD"});
  if (reference.starts_with(k_heads)) reference.erase(0, k_heads.size());
  return reference;
}

std::string remote_of(const Git& git) {
  // As configured: a rewriting by url.*.insteadOf is one way to bring in passwords.
  const auto output = git.run({"config", "--null", "--get-regexp", "^remote\\..*\\.url$"});
  if (!output) return {};
  std::string_view chosen;
  for (const std::string_view entry : parts_of(output->text)) {
    const auto line_end = entry.find('\n');
    if (line_end == std::string_view::npos) continue;
    const bool origin = entry.substr(0, line_end) == "remote.origin.url";
    if (chosen.empty() || origin) chosen = entry.substr(line_end + 1);
    if (origin) break;
  }
  return without_credentials(chosen);
}

void add_diff(const Git& git, model::GitFacts& facts) {
  // Before the first commit: against the empty tree, whose name depends on the hash that the repository uses.
  const std::string base = facts.commit.empty() ? git.value({"hash-object", "-t", "tree", "--stdin"}) : "HEAD";
  auto output =
      git.run({"-c", "diff.relative=false", "diff", "--no-ext-diff", "--no-textconv", "--no-color", base, "--"},
              model::GitFacts::k_most_diff_bytes);
  if (!output) {
    facts.diff_truncated = true;
    return;
  }
  facts.dirty = !output->text.empty();
  facts.diff = std::move(output->text);
  facts.diff_truncated = output->truncated;
}

void add_untracked(const Git& git, model::GitFacts& facts) {
  const auto output = git.run({"ls-files", "--others", "--exclude-standard", "-z"}, k_most_untracked_bytes);
  if (!output) return;
  for (const std::string_view path : parts_of(output->text)) {
    if (facts.untracked.size() == model::GitFacts::k_most_untracked) return;
    facts.untracked.emplace_back(path);
  }
}

}  // namespace

std::optional<model::GitFacts> git_facts(const std::string& directory, std::stop_token stop) {
  Git git(directory, std::move(stop));
  if (!git.run({"rev-parse", "--git-dir"})) return std::nullopt;
  // `ls-files` looks only below where it runs, `diff` everywhere. Without a work tree (a bare repository) both have
  // nothing to say.
  if (std::string top = git.value({"rev-parse", "--show-toplevel"}); !top.empty()) git.move_to(std::move(top));
  model::GitFacts facts;
  facts.commit = git.value({"rev-parse", "--verify", "--quiet", "HEAD"});
  facts.branch = branch_of(git);
  facts.remote = remote_of(git);
  add_diff(git, facts);
  add_untracked(git, facts);
  return facts;
}

}  // namespace studio::engine
