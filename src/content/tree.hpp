// Directory listings as contents: one entry a name, sorted by bytes (doc/format.md, "Trees").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/codec.hpp"
#include "base/result.hpp"
#include "content/content_io.hpp"
#include "model/version.hpp"

namespace studio::content {

enum class EntryType : std::uint8_t {
  file = 1,
  directory = 2,
  symlink = 3,
  hard_link = 4,  // a file that had another name, which comes earlier in the walk
  fifo = 5,
  socket = 6,
  char_device = 7,
  block_device = 8,
};

std::string_view name_of(EntryType type);

struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};

struct TreeEntry {
  EntryType type = EntryType::file;
  std::string name;                // one component: any bytes but '/' and NUL, not "", "." or ".."
  std::uint32_t mode = 0;          // permission bits, 07777
  std::int64_t modified_ns = 0;    // since 1970, may be negative
  std::uint64_t size = 0;          // file, hard_link: its length, holes included; at most k_most_file_size
  ContentRef content;              // file, hard_link: the bytes outside its holes; directory: its listing
  std::vector<Extent> holes;       // file, hard_link: ascending, not empty, within size
  model::Totals totals;            // directory: of everything below it
  std::string target;              // symlink: its text; hard_link: path of the other name, from the root of the tree
  std::uint32_t device_major = 0;  // devices
  std::uint32_t device_minor = 0;
  std::vector<std::pair<std::string, std::string>> attributes;  // extended attributes "user.*", sorted
  std::string problem;  // why this is not what was on disk at capture; empty when it is
  friend bool operator==(const TreeEntry&, const TreeEntry&) = default;
};

// Nanoseconds since 1970 as seconds, rounded down, and the rest.
struct SplitTime {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;  // not negative
};
SplitTime split_time(std::int64_t nanoseconds);

inline constexpr std::uint64_t k_most_file_size = INT64_MAX;
// A listing with a longer entry cannot be read.
inline constexpr std::size_t k_most_entry = 16 << 20;

inline bool has_bytes(EntryType type) { return type == EntryType::file || type == EntryType::hard_link; }

bool valid_entry_name(std::string_view name);
// Valid entry names with '/' between them.
bool valid_entry_path(std::string_view path);

// The version that a listing begins with.
void append_tree_header(ByteWriter& out);
void append_entry(ByteWriter& out, const TreeEntry& entry);
// The body of one entry (without its length); `corrupt` if it is malformed, or its name, link target or an attribute's
// name is not valid.
Result<TreeEntry> parse_entry(ByteView body);

// Reads a listing entry by entry. Borrows the source.
class TreeReader {
 public:
  TreeReader(ChunkSource& source, const ContentRef& listing) : content_(source, listing, k_read_ahead) {}
  // Nothing at the end. Entries out of order are `corrupt`.
  Result<std::optional<TreeEntry>> next();

 private:
  // Little: a walk holds one reader for each directory on its way.
  static constexpr std::uint64_t k_read_ahead = 256 << 10;
  Result<bool> ensure(std::size_t size);  // false: the listing ends before
  ContentReader content_;
  Bytes buffer_;
  std::size_t at_ = 0;
  bool started_ = false;
  std::string last_name_;
};

}  // namespace studio::content
