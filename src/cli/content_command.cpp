// studio artifacts files | cat | tar | diff: what the store holds
#include <array>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/artifact_access.hpp"
#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "cli/get_command.hpp"
#include "cli/interruption.hpp"
#include "cli/record_json.hpp"
#include "cli/table.hpp"
#include "content/diff.hpp"
#include "content/tar.hpp"
#include "content/tree_walk.hpp"

namespace studio::cli {

namespace {

using content::EntryType;
using content::TreeEntry;

// A name as JSON has it: valid UTF-8, and the bytes themselves where that is not the same.
void add_name(Json& json, const std::string& name, const std::string& path) {
  json["name"] = to_utf8(name);
  if (!valid_utf8(name)) json["name_hex"] = hex(as_bytes(name));
  json["path"] = to_utf8(path);
}

std::string octal(std::uint32_t mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

WallTime time_of(const TreeEntry& entry) { return WallTime(std::chrono::nanoseconds(entry.modified_ns)); }

// "-rw-r--r--"
std::string mode_text(const TreeEntry& entry) {
  static constexpr std::array<char, 9> k_types{'?', '-', 'd', 'l', '-', 'p', 's', 'c', 'b'};
  static constexpr std::string_view k_bits = "rwxrwxrwx";
  std::string text(1, k_types[static_cast<std::size_t>(entry.type)]);
  for (std::size_t bit = 0; bit < k_bits.size(); ++bit) text += (entry.mode >> (8 - bit) & 1) != 0 ? k_bits[bit] : '-';
  const auto mark = [&](std::uint32_t bit, std::size_t at, char set, char unset) {
    if ((entry.mode & bit) != 0) text[at] = text[at] == 'x' ? set : unset;
  };
  mark(04000, 3, 's', 'S');
  mark(02000, 6, 's', 'S');
  mark(01000, 9, 't', 'T');
  return text;
}

std::string trimmed(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  while (path.starts_with("./")) path.erase(0, 2);
  return path == "." ? "" : path;
}

Error named(Error error, const model::Version& version) { return within(full_name(version), std::move(error)); }

class FilesCommand final : public Command {
 public:
  explicit FilesCommand(CLI::App& app) {
    app.add_option("EXP/TAG[@vN]", name_, "the version")->required();
    app.add_option("PATH", path_, "a directory or file in it");
    app.add_flag("-R,--recursive", recursive_, "with everything below");
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio artifacts files EXP/TAG[@vN] [PATH] [-R] [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const OpenedVersion opened, open_version(context, name_));
    content::ChunkSource& source = opened.services.repository.chunks();
    const std::string path = trimmed(path_);
    auto root = content::find_entry(source, opened.version.root, path);
    if (!root) return named(root.error(), opened.version);
    Json header = Json::object();
    header["experiment"] = opened.version.experiment;
    header["tag"] = opened.version.tag;
    header["version"] = model::version_name(opened.version.number);
    header["path"] = to_utf8(path);
    JsonListWriter writer(context.output, header, "entries");
    Table table({{"MODE"}, {"SIZE", Align::right}, {"MODIFIED (UTC)"}, {"NAME"}});
    const auto add = [&](const TreeEntry& entry, const std::string& at) -> Result<void> {
      if (json_) return writer.add(json_of(entry, at));
      const std::string shown = printable(recursive_ ? at : entry.name);
      std::string suffix;
      if (entry.type == EntryType::directory) suffix = "/";
      if (entry.type == EntryType::symlink) suffix = concat(" -> ", printable(entry.target));
      if (!entry.problem.empty()) suffix += concat("  ! ", printable(entry.problem));
      table.add({mode_text(entry), std::to_string(size_of(source, opened.version.root, entry)), format_minute(time_of(entry)), shown + suffix});
      return {};
    };
    if (root->type != EntryType::directory) {
      TRY(add(*root, path));
    } else {
      content::TreeWalk walk(source, root->content);
      while (true) {
        TRY_ASSIGN(const auto event, walk.next());
        if (!event) break;
        if (event->kind == content::TreeWalk::Event::Kind::leave) continue;
        if (!recursive_) walk.skip();
        TRY(add(event->entry, path.empty() ? event->path : concat(path, "/", event->path)));
      }
    }
    if (json_) TRY(writer.finish());
    if (!json_) TRY(table.write(context.output));
    return k_exit_success;
  }

 private:
  // Of a further name of a file, that of the file.
  static std::uint64_t size_of(content::ChunkSource& source, const content::ContentRef& root, const TreeEntry& entry) {
    if (entry.type == EntryType::directory) return entry.totals.bytes;
    if (entry.type != EntryType::hard_link) return entry.size;
    const auto file = content::find_entry(source, root, entry.target);
    return file ? file->size : 0;
  }

  static Json json_of(const TreeEntry& entry, const std::string& path) {
    Json json = Json::object();
    add_name(json, entry.name, path);
    json["type"] = content::name_of(entry.type);
    json["mode"] = octal(entry.mode);
    json["size"] = entry.type == EntryType::directory ? entry.totals.bytes : entry.size;
    json["modified"] = format_time(time_of(entry));
    json["target"] = entry.type == EntryType::symlink ? Json(to_utf8(entry.target)) : Json(nullptr);
    return json;
  }

  std::string name_;
  std::string path_;
  bool recursive_ = false;
  bool json_ = false;
};

class CatCommand final : public Command {
 public:
  explicit CatCommand(CLI::App& app) {
    app.add_option("EXP/TAG[@vN]", name_, "the version")->required();
    app.add_option("PATH", path_, "the file; may be left out if the artifact is one file");
  }
  std::string form() const override { return "studio artifacts cat EXP/TAG[@vN] [PATH]"; }

  Result<int> run(Context& context) override {
    end_when_interrupted();
    TRY_ASSIGN(const OpenedVersion opened, open_version(context, name_));
    content::ChunkSource& source = opened.services.repository.chunks();
    std::string path = trimmed(path_);
    if (path.empty() && opened.version.kind == model::ArtifactKind::file) path = opened.version.file_name;
    if (path.empty())
      return usage_error(concat(full_name(opened.version), " is a directory: name the file"),
                         concat("studio artifacts cat ", full_name(opened.version), " PATH"));
    const auto entry = content::find_entry(source, opened.version.root, path);
    if (!entry) return named(entry.error(), opened.version);
    if (entry->type != EntryType::file)
      return usage_error(concat(full_name(opened.version), ": '", printable(path), "' is a ", content::name_of(entry->type), ", not a file"),
                         concat("studio artifacts files ", full_name(opened.version)));
    const auto done = content::write_file_content(source, *entry, [&](ByteView bytes) { return context.output.write(bytes); });
    if (!done) return named(done.error(), opened.version);
    return k_exit_success;
  }

 private:
  std::string name_;
  std::string path_;
};

class TarCommand final : public Command {
 public:
  explicit TarCommand(CLI::App& app) {
    app.add_option("EXP/TAG[@vN]", name_, "the version")->required();
    app.add_flag("--no-gzip", plain_, "not compressed");
  }
  std::string form() const override { return "studio artifacts tar EXP/TAG[@vN] [--no-gzip] > FILE"; }

  Result<int> run(Context& context) override {
    if (context.output.is_terminal())
      return usage_error("an archive is not written to a terminal", concat("studio artifacts tar ", printable(name_), " > FILE.tar.gz"));
    end_when_interrupted();
    TRY_ASSIGN(const OpenedVersion opened, open_version(context, name_));
    const content::Sink out = [&](ByteView bytes) { return context.output.write(bytes); };
    content::GzipSink gzip(out);
    const content::Sink compressed = [&](ByteView bytes) { return gzip.write(bytes); };
    auto done = content::export_tar(opened.services.repository.chunks(), opened.version.root, opened.version.tag, plain_ ? out : compressed);
    if (done && !plain_) done = gzip.finish();
    if (!done) return named(done.error(), opened.version);
    return k_exit_success;
  }

 private:
  std::string name_;
  bool plain_ = false;
};

class DiffCommand final : public Command {
 public:
  explicit DiffCommand(CLI::App& app) {
    app.add_option("FROM", from_, "a version, EXP/TAG[@vN]")->required();
    app.add_option("TO", to_, "another one")->required();
    app.add_flag("--json", json_, "as JSON");
  }
  std::string form() const override { return "studio artifacts diff EXP/TAG[@vN] EXP/TAG[@vM] [--json]"; }

  Result<int> run(Context& context) override {
    TRY_ASSIGN(const OpenedVersion from, open_version(context, from_));
    TRY_ASSIGN(const OpenedVersion to, open_version(context, to_));
    Json header = Json::object();
    header["from"] = full_name(from.version);
    header["to"] = full_name(to.version);
    JsonListWriter writer(context.output, header, "entries");
    bool differs = false;
    const auto visit = [&](const content::Difference& difference) -> Result<void> {
      differs = true;
      return json_ ? writer.add(json_of(difference)) : context.output.write(line_of(difference));
    };
    TRY(content::diff_trees(from.services.repository.chunks(), from.version.root, to.version.root, visit));
    if (json_) TRY(writer.finish());
    return differs ? k_exit_difference : k_exit_success;
  }

 private:
  static Json size_or_null(const TreeEntry* entry) { return entry ? Json(entry->size) : Json(nullptr); }

  static Json json_of(const content::Difference& difference) {
    const TreeEntry& entry = difference.after ? *difference.after : *difference.before;
    Json json = Json::object();
    json["path"] = to_utf8(difference.path);
    json["change"] = content::name_of(difference.change);
    json["type"] = content::name_of(entry.type);
    json["old_size"] = size_or_null(difference.before);
    json["new_size"] = size_or_null(difference.after);
    return json;
  }

  static std::string line_of(const content::Difference& difference) {
    const TreeEntry& entry = difference.after ? *difference.after : *difference.before;
    std::string change(content::name_of(difference.change));
    change.resize(10, ' ');
    std::string sizes;
    if (entry.type == EntryType::file) {
      if (difference.before && difference.after && difference.before->size != difference.after->size) {
        sizes = concat(" (", format_size(difference.before->size), " -> ", format_size(difference.after->size), ")");
      } else {
        sizes = concat(" (", format_size(entry.size), ")");
      }
    }
    return concat(change, printable(difference.path), entry.type == EntryType::directory ? "/" : "", sizes, "\n");
  }

  std::string from_;
  std::string to_;
  bool json_ = false;
};

}  // namespace

void add_content_commands(CLI::App& artifacts, CommandTable& commands) {
  CLI::App* files = artifacts.add_subcommand("files", "the files of a version, like ls -l");
  commands.add(files, std::make_unique<FilesCommand>(*files));
  CLI::App* get = artifacts.add_subcommand("get", "restore a version to disk, exactly");
  commands.add(get, make_get_command(*get));
  CLI::App* cat = artifacts.add_subcommand("cat", "one file of a version to standard output");
  commands.add(cat, std::make_unique<CatCommand>(*cat));
  CLI::App* tar = artifacts.add_subcommand("tar", "a version as a .tar.gz to standard output");
  commands.add(tar, std::make_unique<TarCommand>(*tar));
  CLI::App* diff = artifacts.add_subcommand("diff", "what differs between two versions");
  commands.add(diff, std::make_unique<DiffCommand>(*diff));
}

}  // namespace studio::cli
