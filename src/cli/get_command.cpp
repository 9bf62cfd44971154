#include "cli/get_command.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/artifact_access.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "cli/record_json.hpp"
#include "content/restore.hpp"
#include "os/atomic_file.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

// Removed with everything in it, unless it was moved away.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> make_beside(const std::string& target) {
    std::string path = os::unique_path(os::parent_of(target), ".studio-get");
    if (::mkdir(path.c_str(), 0700) != 0)
      return os::system_error("create a directory in", os::parent_of(target), errno);
    return TemporaryDirectory(std::move(path));
  }
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory() {
    if (!path_.empty()) (void)os::remove_tree(path_);
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

class GetCommand final : public Command {
 public:
  explicit GetCommand(CLI::App& app) {
    app.add_option("EXP/TAG[@vN]", name_, "the version")->required();
    app.add_option("DEST", destination_, "where to: a new name, or an empty directory")->required();
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio artifacts get EXP/TAG[@vN] DEST [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const Interruption interruption, Interruption::watch());
    TRY_ASSIGN(const OpenedVersion opened, open_version(context, name_));
    const model::Version& version = opened.version;
    TRY_ASSIGN(const std::string here, os::current_directory());
    const std::string given = os::absolute(destination_, here);
    TRY_ASSIGN(const std::string destination, choose_place(version, given));
    TRY_ASSIGN(const TemporaryDirectory temporary, TemporaryDirectory::make_beside(destination));
    const std::string tree = concat(temporary.path(), "/tree");
    if (::mkdir(tree.c_str(), 0700) != 0) return os::system_error("create directory", tree, errno);
    {
      Progress progress(context.messages, "restoring", "file", version.totals.bytes);
      auto problems = content::restore_tree(
          opened.services.repository.chunks(), version.root, tree,
          {.progress = [&](std::uint64_t files, std::uint64_t bytes) { progress.update(files, bytes); },
           .stop = interruption.token()});
      if (!problems) return within(full_name(version), problems.error());
      for (const model::Problem& problem : *problems)
        context.messages.report(engine::Severity::warning,
                                concat("'", printable(problem.path), "': ", problem.problem));
    }
    TRY(move_into_place(version, tree, destination));
    if (json_) {
      Json json = Json::object();
      json["version"] = full_name(version);
      json["path"] = to_utf8(destination);
      json["files"] = version.totals.files;
      json["bytes"] = version.totals.bytes;
      TRY(write_json(context.output, json));
    } else {
      TRY(context.output.write(concat("restored ", full_name(version), " as '", printable(destination),
                                      "': ", counted(version.totals.files, "file"), ", ",
                                      format_size(version.totals.bytes), "\n")));
    }
    return k_exit_success;
  }

 private:
  // Where the directory or the file is to appear. Checked before the work begins; the rename checks again.
  static Result<std::string> choose_place(const model::Version& version, const std::string& given) {
    std::string place = given;
    struct stat info {};
    const bool is_there = ::lstat(given.c_str(), &info) == 0;
    struct stat followed {};
    const bool is_directory = ::stat(given.c_str(), &followed) == 0 && S_ISDIR(followed.st_mode);
    if (version.kind == model::ArtifactKind::file && is_directory) {
      place = concat(given, "/", version.file_name);
      if (os::exists(place)) return taken(place);
    } else if (is_there && !(is_directory && S_ISDIR(info.st_mode))) {
      return taken(place);
    } else if (is_there) {
      TRY_ASSIGN(const os::Fd directory, os::open(given, O_RDONLY | O_DIRECTORY));
      TRY_ASSIGN(const auto names, os::names_in(directory.get(), given));
      if (!names.empty())
        return usage_error(concat("'", printable(given), "' is not empty"), "give a new name, or an empty directory");
    }
    if (::stat(os::parent_of(place).c_str(), &followed) != 0)
      return usage_error(concat("the directory '", printable(os::parent_of(place)), "' does not exist"),
                         concat("mkdir -p ", printable(os::parent_of(place))));
    return place;
  }

  static Error taken(const std::string& place) {
    return usage_error(concat("'", printable(place), "' exists already"), "give a new name, or an empty directory");
  }

  static Result<void> move_into_place(const model::Version& version, const std::string& tree,
                                      const std::string& destination) {
    if (version.kind == model::ArtifactKind::file) {
      // link(2) does not replace a file that appeared meanwhile.
      const std::string file = concat(tree, "/", version.file_name);
      if (::link(file.c_str(), destination.c_str()) != 0) return os::system_error("create", destination, errno);
      return {};
    }
    TRY(content::set_root_metadata(tree, version));
    if (::rename(tree.c_str(), destination.c_str()) != 0) return os::system_error("create", destination, errno);
    return {};
  }

  std::string name_;
  std::string destination_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_get_command(CLI::App& app) { return std::make_unique<GetCommand>(app); }

}  // namespace studio::cli
