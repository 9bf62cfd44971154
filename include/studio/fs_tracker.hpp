// Where the artifacts of this run lie on this machine: studio.fs_tracker for C++ (17 and later).
//
//     #include "studio/fs_tracker.hpp"
//     const std::string path = studio::fs_tracker::get_artifact("weights");
//
// Needs nothing but the standard library and POSIX. Studio tells a run about itself through its
// environment:
//
//     STUDIOML_EXPERIMENT        the experiment's key
//     STUDIOML_ATTEMPT           the number of this execution of it, from 0
//     STUDIOML_HOME              absolute path of Studio's home
//     STUDIOML_ARTIFACT_MAPPING  absolute path of a JSON file {tag: absolute path}
//     STUDIO_ARTIFACT_<TAG>      the same path, for languages without a reader of JSON; the
//                                tag in upper case, with _ for all but A-Z and 0-9
//
// The tags workspace, output, modeldir and tb are in every run. A variable set to the empty string
// counts as not set.
//
// Threads: nothing here creates, changes or caches anything; each call reads the environment and
// the mapping anew. So all functions may be called from any thread, as long as no other thread
// changes the environment meanwhile.
//
// Errors: every one is an ArtifactError, its what() a sentence for the user, the same as in Python.
// Strings are UTF-8.
#pragma once

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace studio::fs_tracker {

// Base of every error thrown here.
class ArtifactError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// This process was not started by `studio run`.
class NotInRunError : public ArtifactError {
 public:
  using ArtifactError::ArtifactError;
};

// The file that maps tags to paths cannot be read, or is damaged.
class MappingError : public ArtifactError {
 public:
  using ArtifactError::ArtifactError;
};

// No artifact of this run has the tag.
class UnknownTagError : public ArtifactError {
 public:
  using ArtifactError::ArtifactError;
};

// A tag or a key that cannot be one, and so must not become part of a path.
class InvalidNameError : public ArtifactError {
 public:
  using ArtifactError::ArtifactError;
};

namespace detail {

using Mapping = std::map<std::string, std::string>;

// Reads a JSON object whose members are all strings, and accepts nothing else. It is strict: UTF-8
// without a byte-order mark, no raw control character, no lone surrogate, no repeated member,
// nothing after the object. Not recursive, so no input exhausts the stack. Throws
// std::invalid_argument with the reason.
class MappingReader {
 public:
  // `text` is borrowed until read() returns.
  explicit MappingReader(std::string_view text) : text_(text) {}

  Mapping read() {
    check_utf8();
    Mapping result;
    skip_space();
    if (!take('{')) fail("it is not a JSON object");
    skip_space();
    if (!take('}')) {
      do {
        skip_space();
        std::string tag = string("a tag");
        skip_space();
        if (!take(':')) fail("there is no ':' after '" + tag + "'");
        skip_space();
        std::string path = string("the path of '" + tag + "'");
        if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos)
          fail("the path of '" + tag + "' is not an absolute path");
        if (!result.emplace(std::move(tag), std::move(path)).second) fail("a tag occurs twice");
        skip_space();
      } while (take(','));
      if (!take('}')) fail("the object is not closed");
    }
    skip_space();
    if (at_ != text_.size()) fail("something follows the object");
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw std::invalid_argument(reason + " (byte " + std::to_string(at_) + ")");
  }

  bool take(char wanted) {
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size()); }

  std::string string(const std::string& noun) {
    if (!take('"')) fail(noun + " is not a string");
    std::string result;
    while (at_ != text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return result;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c != '\\')
        result += c;
      else if (take('u'))
        append_utf8(result, escaped_character());
      else
        result += simple_escape();
    }
    fail("a string is not closed");
  }

  char simple_escape() {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const auto which = at_ == text_.size() ? letters.npos : letters.find(text_[at_]);
    if (which == letters.npos) fail("an unknown escape in a string");
    ++at_;
    return meanings[which];
  }

  // What follows "\u": one code unit of UTF-16, or two that form a surrogate pair.
  std::uint32_t escaped_character() {
    const std::uint32_t first = code_unit();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first < 0xDC00 && take('\\') && take('u')) {
      const std::uint32_t second = code_unit();
      if (second >= 0xDC00 && second <= 0xDFFF) return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    }
    fail("half of a surrogate pair in a string");
  }

  std::uint32_t code_unit() {
    std::uint32_t unit = 0;
    for (int digit = 0; digit < 4; ++digit, ++at_) {
      constexpr std::string_view digits = "0123456789abcdefABCDEF";
      const auto which = at_ == text_.size() ? digits.npos : digits.find(text_[at_]);
      if (which == digits.npos) fail("a \\u without four hexadecimal digits");
      unit = unit * 16 + static_cast<std::uint32_t>(which < 16 ? which : which - 6);
    }
    return unit;
  }

  static void append_utf8(std::string& to, std::uint32_t c) {
    const int rest = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr std::array<std::uint32_t, 4> leads = {0, 0xC0, 0xE0, 0xF0};
    to += static_cast<char>(leads[static_cast<std::size_t>(rest)] | (c >> (6 * rest)));
    for (int shift = 6 * (rest - 1); shift >= 0; shift -= 6) to += static_cast<char>(0x80 | ((c >> shift) & 0x3F));
  }

  // Refuses overlong forms, surrogates and what lies beyond U+10FFFF, too (RFC 3629, section 4).
  void check_utf8() {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const auto byte = [this](std::size_t n) { return n < text_.size() ? static_cast<unsigned char>(text_[n]) : 0U; };
      const unsigned lead = byte(i);
      if (lead < 0x80) continue;
      const int rest = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
      unsigned low = 0x80;  // the bounds of the first byte after the lead
      unsigned high = 0xBF;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
      bool valid = rest > 0;
      for (int n = 0; valid && n < rest; ++n) {
        ++i;
        valid = byte(i) >= low && byte(i) <= high;
        low = 0x80;
        high = 0xBF;
      }
      if (!valid) {
        at_ = i;
        fail("it is not UTF-8");
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;  // the next byte to read
};

// The value of a variable; absent if it is not set or empty.
inline std::optional<std::string> environment(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

inline bool only_of(std::string_view text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [more](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
  });
}

inline bool is_name(std::string_view name) { return only_of(name, "._-") && name != "." && name != ".."; }

inline std::string checked(const char* noun, std::string_view name) {
  if (!is_name(name)) {
    throw InvalidNameError("'" + std::string(name) + "' is not a valid " + noun +
                           ": use letters, digits, '.', '_' and '-', and not only '.' or '..'.");
  }
  return std::string(name);
}

// The command of this process, quoted for a shell.
inline std::string quoted_command() {
  std::string command;
  // Only Linux has this file; elsewhere the user reads a placeholder.
  std::ifstream arguments("/proc/self/cmdline", std::ios::binary);
  if (!std::getline(arguments, command, '\0') || command.empty()) command = "./script";
  if (only_of(command, "@%+=:,./-_")) return command;
  std::string quoted = "'";
  for (const char c : command) {
    if (c == '\'')
      quoted += "'\"'\"'";
    else
      quoted += c;
  }
  return quoted + "'";
}

// What Studio set `variable` to; `tag` is what the caller looks for, if anything.
inline std::string from_studio(const char* variable, std::optional<std::string_view> tag) {
  if (auto value = environment(variable)) return *std::move(value);
  // A default tag needs no flag, and a flag with an impossible tag would be refused.
  std::string capture;
  if (tag && is_name(*tag) && tag != "workspace" && tag != "output" && tag != "modeldir" && tag != "tb")
    capture = "--capture=PATH:" + std::string(*tag) + " ";
  throw NotInRunError("This script was not started by Studio: " + std::string(variable) +
                      " is not set. Start it with: studio run " + capture + quoted_command());
}

inline std::string read_file(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  // Not std::ifstream: it does not say why it failed.
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  std::string content;
  if (file) {
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get()))
      content.append(buffer.data(), size);
  }
  if (!file || std::ferror(file.get()) != 0) {
    const std::string reason = std::generic_category().message(errno);
    throw MappingError("The artifact mapping " + path + " cannot be read: " + reason + ".");
  }
  return content;
}

// The whole mapping of this run; `tag` as for from_studio.
inline Mapping read_mapping(std::optional<std::string_view> tag) {
  const std::string file = from_studio("STUDIOML_ARTIFACT_MAPPING", tag);
  const std::string text = read_file(file);
  try {
    return MappingReader(text).read();
  } catch (const std::invalid_argument& error) {
    throw MappingError("The artifact mapping " + file + " is damaged: " + error.what() + ".");
  }
}

// The number of bytes in the longest common run of `a` and `b`, and in the ones left and right of
// it: as Python's difflib counts, so that both languages suggest the same tag.
inline std::size_t matching(std::string_view a, std::string_view b) {
  std::size_t best = 0;
  std::size_t in_a = 0;
  std::size_t in_b = 0;
  for (std::size_t i = 0; i + best < a.size(); ++i) {
    for (std::size_t j = 0; j + best < b.size(); ++j) {
      std::size_t size = 0;
      while (i + size < a.size() && j + size < b.size() && a[i + size] == b[j + size]) ++size;
      if (size > best) {
        best = size;
        in_a = i;
        in_b = j;
      }
    }
  }
  if (best == 0) return 0;
  return best + matching(a.substr(0, in_a), b.substr(0, in_b)) + matching(a.substr(in_a + best), b.substr(in_b + best));
}

// The sentence for a tag that is not in `artifacts`.
inline std::string unknown_tag(std::string_view tag, const Mapping& artifacts) {
  std::string nearest;
  std::string tags;
  double best = 0.6;
  for (const auto& [known, path] : artifacts) {
    tags += (tags.empty() ? "" : ", ") + known;
    const double ratio = 2.0 * static_cast<double>(matching(known, tag)) /
                         static_cast<double>(std::max<std::size_t>(known.size() + tag.size(), 1));
    if (ratio >= best) {
      best = ratio;
      nearest = known;
    }
  }
  return "This run has no artifact '" + std::string(tag) + "'." +
         (nearest.empty() ? "" : " Did you mean '" + nearest + "'?") +
         " The tags are: " + (tags.empty() ? "(none)" : tags) + ".";
}

}  // namespace detail

// Returns the absolute path of this run's artifact `tag`: a directory or a file.
// Throws UnknownTagError, which names the tags there are, NotInRunError outside a run, and
// MappingError.
inline std::string get_artifact(std::string_view tag) {
  const detail::Mapping artifacts = detail::read_mapping(tag);
  const auto found = artifacts.find(std::string(tag));
  if (found == artifacts.end()) throw UnknownTagError(detail::unknown_tag(tag, artifacts));
  return found->second;
}

// Returns all artifacts of this run, tag -> absolute path.
// Throws NotInRunError outside a run, and MappingError.
inline std::map<std::string, std::string> get_artifacts() { return detail::read_mapping(std::nullopt); }

// Returns the absolute path of Studio's home: STUDIOML_HOME, or else ~/.studioml.
// Throws ArtifactError if that is not absolute (and so does all that builds on it).
inline std::string get_studio_home() {
  std::string home;
  if (const auto set = detail::environment("STUDIOML_HOME")) {
    home = *set;
  } else {
    home = "~";
    std::array<char, 4096> buffer;
    struct passwd entry;
    struct passwd* found = nullptr;
    if (const char* user_home = std::getenv("HOME"))
      home = user_home;
    else if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found)
      home = found->pw_dir;
    home.erase(home.find_last_not_of('/') + 1);
    home += "/.studioml";
  }
  if (home.front() != '/')
    throw ArtifactError("Studio's home '" + home + "' is not an absolute path: set STUDIOML_HOME.");
  return home;
}

namespace detail {

inline std::string in_home(const std::string& relative) {
  const std::string home = get_studio_home();
  return home + (home.back() == '/' ? "" : "/") + relative;
}

}  // namespace detail

// Returns where the artifact `tag` of an experiment lies on this machine. Without a key, or with
// this run's own, that is get_artifact(tag). With another experiment's key it is a path in Studio's
// home where nothing need exist.
// Throws InvalidNameError for a tag or key that cannot be one, else as get_artifact.
inline std::string get_artifact_cache(std::string_view tag,
                                      std::optional<std::string_view> experiment_key = std::nullopt) {
  if (experiment_key) {
    const std::string key = detail::checked("experiment key", *experiment_key);
    if (key != detail::environment("STUDIOML_EXPERIMENT"))
      return detail::in_home("experiments/" + key + "/" + detail::checked("tag", tag));
  }
  return get_artifact(tag);
}

// Returns the directory of checkpoints: get_artifact_cache("modeldir", experiment_key).
// The directory of this run exists. Throws as get_artifact_cache.
inline std::string get_model_directory(std::optional<std::string_view> experiment_key = std::nullopt) {
  return get_artifact_cache("modeldir", experiment_key);
}

// Returns the directory of event files: get_artifact_cache("tb", experiment_key).
// The directory of this run exists. Throws as get_artifact_cache.
inline std::string get_tensorboard_dir(std::optional<std::string_view> experiment_key = std::nullopt) {
  return get_artifact_cache("tb", experiment_key);
}

// Returns the path of the cached blob `blobkey`, where nothing need exist.
// Throws InvalidNameError for a key that cannot be one.
inline std::string get_blob_cache(std::string_view blobkey) {
  return detail::in_home("blobcache/" + detail::checked("blob key", blobkey));
}

// Returns the path of the local queues, where nothing need exist.
inline std::string get_queue_directory() { return detail::in_home("queue"); }

// Returns the key of this run's experiment. Throws NotInRunError outside a run.
inline std::string get_experiment_key() { return detail::from_studio("STUDIOML_EXPERIMENT", std::nullopt); }

}  // namespace studio::fs_tracker
