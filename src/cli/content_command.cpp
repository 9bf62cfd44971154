// studio artifacts get, cat, tar, diff
#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "cli/reference.hpp"
#include "cli/restoration.hpp"
#include "content/archive.hpp"
#include "content/diff.hpp"
#include "content/file_content.hpp"
#include "content/tree_walk.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

using content::EntryType;
using content::TreeEntry;
using nlohmann::ordered_json;

void warn_if_incomplete(Messages& messages, const model::Version& version) {
  if (version.complete()) return;
  messages.report(engine::Severity::warning,
                  concat(name_of(version), " is not complete: ", counted(version.problem_count, "file"),
                         " could not be captured as they were; see 'studio artifacts log ", version.experiment, "/",
                         version.tag, "'"));
}

class ArtifactsGet : public Command {
 public:
  explicit ArtifactsGet(CLI::App& app) {
    add_argument(app, "EXP/TAG[@vN]", artifact_);
    add_argument(app, "DEST", destination_);
    add_switch(app, "--update", update_, "write only what differs into a DEST that is there");
    add_switch(app, "--json", json_, "print what was restored as JSON");
  }

  std::string form() const override { return "studio artifacts get EXP/TAG[@vN] DEST [--update] [--json]"; }

  Result<int> run(Context& context) override {
    if (destination_.empty()) return usage_error("DEST is empty", form());
    TRY_ASSIGN(const Interruption interruption, Interruption::watch());
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Version version, find_reference(services, artifact_));
    TRY_ASSIGN(const std::string directory, os::current_directory());
    auto restored = [&] {
      Progress progress(context.messages, "restoring", "file", version.totals.bytes);
      return restore_version(
          services.repository.chunks(), version, destination_, directory,
          {.update = update_,
           .progress = [&](std::uint64_t files, std::uint64_t bytes) { progress.update(files, bytes); },
           .stop = interruption.token()});
    }();
    if (!restored) return std::move(restored).error();
    for (const model::Problem& problem : restored->problems)
      context.messages.report(engine::Severity::warning, concat("'", printable(problem.path), "': ", problem.problem));
    warn_if_incomplete(context.messages, version);
    context.messages.report(engine::Severity::notice,
                            concat(name_of(version), " restored to '", printable(restored->path), "': ",
                                   counted(version.totals.files, "file"), ", ", format_size(version.totals.bytes)));
    if (json_)
      TRY(write_json(context.output, {{"version", model::version_name(version.number)},
                                      {"path", to_utf8(restored->path)},
                                      {"files", version.totals.files},
                                      {"bytes", version.totals.bytes}}));
    return k_exit_success;
  }

 private:
  std::string artifact_;
  std::string destination_;
  bool update_ = false;
  bool json_ = false;
};

class ArtifactsCat : public Command {
 public:
  explicit ArtifactsCat(CLI::App& app) {
    add_argument(app, "EXP/TAG[@vN]", artifact_);
    add_optional_argument(app, "PATH", path_);
    add_footer(app, "PATH may be left out if the artifact is one file.");
  }

  std::string form() const override { return "studio artifacts cat EXP/TAG[@vN] [PATH]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Version version, find_reference(services, artifact_));
    const std::string name = name_of(version);
    const bool is_file = version.kind == model::ArtifactKind::file;
    if (path_.empty() && !is_file)
      return usage_error(concat(name, " is a directory"),
                         concat("name one of its files: studio artifacts cat ", name, " PATH"));
    content::ChunkSource& chunks = services.repository.chunks();
    const std::string& path = path_.empty() ? version.file_name : path_;
    const auto found = content::find_entry(chunks, version.root, path);
    if (!found) {
      Error error = within(name, found.error());
      if (error.code == Code::not_found)
        error.hint = concat("'studio artifacts files ", name, " -R' lists what is in it");
      return error;
    }
    TRY_ASSIGN(const TreeEntry entry, content::resolve_hard_link(chunks, version.root, *found));
    if (entry.type != EntryType::file) return no_bytes(name, path, entry);
    TRY(content::write_file_content(chunks, entry, [&](ByteView bytes) { return context.output.write(bytes); }));
    return k_exit_success;
  }

 private:
  static Error no_bytes(const std::string& name, const std::string& path, const TreeEntry& entry) {
    const std::string message = concat(name, ": '", printable(path), "' is a ", content::name_of(entry.type));
    if (entry.type == EntryType::symlink)
      return usage_error(message, concat("it leads to '", printable(entry.target), "': name a file"));
    return usage_error(message, concat("name a file: 'studio artifacts files ", name, " -R' lists them"));
  }

  std::string artifact_;
  std::string path_;
};

class ArtifactsTar : public Command {
 public:
  explicit ArtifactsTar(CLI::App& app) {
    add_argument(app, "EXP/TAG[@vN]", artifact_);
    add_switch(app, "--no-gzip", plain_, "a plain tar archive");
    add_footer(app,
               "The same version always gives the same bytes. Names in the archive begin with the artifact's tag.");
  }

  std::string form() const override { return "studio artifacts tar EXP/TAG[@vN] [--no-gzip] > FILE"; }

  Result<int> run(Context& context) override {
    if (context.output.is_terminal())
      return usage_error(
          "an archive is not written to a terminal",
          concat("studio artifacts tar ", printable(artifact_), " > ", plain_ ? "archive.tar" : "archive.tar.gz"));
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Version version, find_reference(services, artifact_));
    warn_if_incomplete(context.messages, version);
    Progress progress(context.messages, "archiving", "", version.totals.bytes);
    TRY(content::export_archive(
        services.repository.chunks(), version, plain_ ? content::ArchiveFormat::tar : content::ArchiveFormat::tar_gz,
        [&](ByteView bytes) { return context.output.write(bytes); },
        [&](std::uint64_t written) { progress.update(1, written); }));
    return k_exit_success;
  }

 private:
  std::string artifact_;
  bool plain_ = false;
};

class ArtifactsDiff : public Command {
 public:
  explicit ArtifactsDiff(CLI::App& app) {
    add_argument(app, "FROM", from_);
    add_argument(app, "TO", to_);
    add_switch(app, "--json", json_, "print JSON");
    add_footer(app, "Modification times alone are no difference. Exits with 1 if there is one.");
  }

  std::string form() const override { return "studio artifacts diff EXP/TAG[@vN] EXP/TAG[@vM] [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const engine::Services services, context.wiring.for_looking());
    TRY_ASSIGN(const model::Version from, find_reference(services, from_));
    TRY_ASSIGN(const model::Version to, find_reference(services, to_));
    content::ChunkSource& chunks = services.repository.chunks();
    JsonListWriter entries(context.output, {{"from", name_of(from)}, {"to", name_of(to)}}, "entries");
    bool differs = false;
    TRY(content::diff_trees(chunks, from.root, to.root, [&](const content::Difference& difference) -> Result<void> {
      differs = true;
      TRY_ASSIGN(const Side before, look_at(chunks, from.root, difference.before));
      TRY_ASSIGN(const Side after, look_at(chunks, to.root, difference.after));
      return json_ ? entries.add(entry_json(difference, before, after))
                   : context.output.write(entry_line(difference, before, after, context.output.is_terminal()));
    }));
    if (json_) TRY(entries.finish());
    return differs ? k_exit_difference : k_exit_success;
  }

 private:
  // One of the two entries of a name; hard links are shown as the file that they name.
  struct Side {
    std::optional<EntryType> type;
    std::optional<std::uint64_t> size;  // of a file
  };

  static Result<Side> look_at(content::ChunkSource& chunks, const content::ContentRef& root, const TreeEntry* entry) {
    if (entry == nullptr) return Side();
    if (entry->type == EntryType::file) return Side{entry->type, entry->size};
    if (entry->type != EntryType::hard_link) return Side{entry->type, std::nullopt};
    TRY_ASSIGN(const TreeEntry file, content::find_entry(chunks, root, entry->target));
    return Side{EntryType::file, file.size};
  }

  static std::string_view type_of(const Side& before, const Side& after) {
    return content::name_of(after.type ? *after.type : before.type.value_or(EntryType::file));
  }

  static ordered_json entry_json(const content::Difference& difference, const Side& before, const Side& after) {
    const auto size_json = [](const Side& side) { return side.size ? ordered_json(*side.size) : ordered_json(); };
    return {{"path", to_utf8(difference.path)},
            {"change", content::name_of(difference.change)},
            {"type", type_of(before, after)},
            {"old_size", size_json(before)},
            {"new_size", size_json(after)}};
  }

  // "modified  sub/x  (file, 3 B -> 12 B)"
  static std::string entry_line(const content::Difference& difference, const Side& before, const Side& after,
                                bool escaped) {
    std::string what(type_of(before, after));
    if (before.type && after.type && *before.type != *after.type)
      what = concat(content::name_of(*before.type), " -> ", what);
    if (difference.change == content::ChangeKind::mode) {
      what += concat(", ", octal(difference.before->mode), " -> ", octal(difference.after->mode));
    } else if (before.size && after.size) {
      what += concat(", ", format_size(*before.size), " -> ", format_size(*after.size));
    } else if (before.size || after.size) {
      what += concat(", ", format_size(before.size ? *before.size : *after.size));
    }
    std::string change(content::name_of(difference.change));
    change.resize(std::string_view("modified").size(), ' ');
    return concat(change, "  ", escaped ? printable(difference.path) : difference.path, "  (", what, ")\n");
  }

  static std::string octal(std::uint32_t mode) {
    std::string digits;
    for (const int shift : {9, 6, 3, 0}) digits += static_cast<char>('0' + (mode >> shift & 7u));
    return digits;
  }

  std::string from_;
  std::string to_;
  bool json_ = false;
};

}  // namespace

void add_content_commands(CLI::App& artifacts, CommandTable& commands) {
  CLI::App* get =
      add_subcommand(artifacts, "get", "restore a version exactly: content, names, modes, times, links, holes");
  add_footer(
      *get,
      "A directory is restored as DEST, which must not exist or be empty; a file as DEST, or into DEST under its own "
      "name if DEST is a directory. DEST appears when it is complete, or not at all.");
  commands.add(get, std::make_unique<ArtifactsGet>(*get));
  CLI::App* cat = add_subcommand(artifacts, "cat", "print one file of a version");
  commands.add(cat, std::make_unique<ArtifactsCat>(*cat));
  CLI::App* tar = add_subcommand(artifacts, "tar", "write a version to standard output as a gzip'd tar archive");
  commands.add(tar, std::make_unique<ArtifactsTar>(*tar));
  CLI::App* diff = add_subcommand(artifacts, "diff", "tell what differs between two versions");
  commands.add(diff, std::make_unique<ArtifactsDiff>(*diff));
}

}  // namespace studio::cli
