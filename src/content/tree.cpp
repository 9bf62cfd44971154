#include "content/tree.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "content/byte_copy.hpp"

namespace studio::content {

namespace {

constexpr std::string_view k_magic = "STUDTREE";
constexpr std::uint8_t k_version = 1;
constexpr std::size_t k_header_size = 9;

// Optional parts of an entry: number, then its bytes with their length. A reader skips the even numbers that it does
// not know and refuses the odd ones.
enum Extra : std::uint64_t { k_holes = 1, k_attribute = 2, k_problem = 4 };

void append_content(ByteWriter& out, const ContentRef& content) {
  out.varint(content.size);
  if (content.size == 0) return;
  out.u8(content.level);
  out.digest(content.digest);
}

ContentRef read_content_ref(ByteReader& in) {
  ContentRef content{.size = in.varint()};
  if (content.size == 0) return content;
  content.level = in.u8();
  content.digest = in.digest();
  return content;
}

Bytes encode_holes(const std::vector<Extent>& holes) {
  ByteWriter out;
  std::uint64_t end = 0;
  for (const Extent& hole : holes) {
    out.varint(hole.offset - end);
    out.varint(hole.length);
    end = hole.offset + hole.length;
  }
  return out.take();
}

// False if the holes overlap or leave the file, or do not account for its missing bytes.
bool decode_holes(ByteView bytes, TreeEntry& entry) {
  ByteReader in(bytes);
  std::uint64_t end = 0;
  std::uint64_t sum = 0;
  while (in.remaining() > 0) {
    const std::uint64_t gap = in.varint();
    const std::uint64_t length = in.varint();
    if (in.failed() || length == 0 || gap > entry.size - end || length > entry.size - end - gap) return false;
    entry.holes.push_back({end + gap, length});
    end += gap + length;
    sum += length;
  }
  return entry.content.size + sum == entry.size;
}

bool valid_symlink_target(std::string_view target) { return !target.empty() && target.find('\0') == target.npos; }

bool valid_attribute_name(std::string_view name) { return name.starts_with("user.") && name.find('\0') == name.npos; }

bool is_valid(const TreeEntry& entry, bool has_holes) {
  if (!valid_entry_name(entry.name)) return false;
  if (has_bytes(entry.type) && (entry.size > k_most_file_size || (!has_holes && entry.content.size != entry.size)))
    return false;
  if (entry.type == EntryType::hard_link) return valid_entry_path(entry.target);
  if (entry.type == EntryType::symlink) return valid_symlink_target(entry.target);
  return true;
}

Error damaged() { return Error{Code::corrupt, "a directory listing is damaged"}; }

}  // namespace

std::string_view name_of(EntryType type) {
  switch (type) {
    case EntryType::file:
    case EntryType::hard_link: return "file";
    case EntryType::directory: return "directory";
    case EntryType::symlink: return "symlink";
    case EntryType::fifo: return "fifo";
    case EntryType::socket: return "socket";
    case EntryType::char_device: return "char-device";
    case EntryType::block_device: return "block-device";
  }
  return "unknown";
}

SplitTime split_time(std::int64_t nanoseconds) {
  constexpr std::int64_t k_second = 1'000'000'000;
  const std::int64_t rest = nanoseconds % k_second;
  return {nanoseconds / k_second - (rest < 0 ? 1 : 0), rest < 0 ? rest + k_second : rest};
}

bool valid_entry_name(std::string_view name) { return valid_file_name(name); }

bool valid_entry_path(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    if (!valid_entry_name(path.substr(0, slash))) return false;
    if (slash == path.npos) return true;
    path.remove_prefix(slash + 1);
  }
}

void append_tree_header(ByteWriter& out) {
  out.raw(k_magic);
  out.u8(k_version);
}

void append_entry(ByteWriter& out, const TreeEntry& entry) {
  ByteWriter body;
  body.u8(static_cast<std::uint8_t>(entry.type));
  body.sized(entry.name);
  body.varint(entry.mode);
  body.zigzag(entry.modified_ns);
  switch (entry.type) {
    case EntryType::file:
    case EntryType::hard_link:
      body.varint(entry.size);
      append_content(body, entry.content);
      if (entry.type == EntryType::hard_link) body.sized(entry.target);
      break;
    case EntryType::directory:
      append_content(body, entry.content);
      body.varint(entry.totals.files);
      body.varint(entry.totals.directories);
      body.varint(entry.totals.bytes);
      break;
    case EntryType::symlink: body.sized(entry.target); break;
    case EntryType::char_device:
    case EntryType::block_device:
      body.varint(entry.device_major);
      body.varint(entry.device_minor);
      break;
    case EntryType::fifo:
    case EntryType::socket: break;
  }
  if (!entry.holes.empty()) {
    body.varint(k_holes);
    body.sized(as_text(encode_holes(entry.holes)));
  }
  for (const auto& [name, value] : entry.attributes) {
    ByteWriter attribute;
    attribute.sized(name);
    attribute.raw(value);
    body.varint(k_attribute);
    body.sized(as_text(attribute.view()));
  }
  if (!entry.problem.empty()) {
    body.varint(k_problem);
    body.sized(entry.problem);
  }
  out.varint(body.size());
  out.raw(body.view());
}

Result<TreeEntry> parse_entry(ByteView body) {
  ByteReader in(body);
  TreeEntry entry;
  const std::uint8_t type = in.u8();
  if (type < 1 || type > 8) return damaged();
  entry.type = static_cast<EntryType>(type);
  entry.name = in.sized();
  entry.mode = static_cast<std::uint32_t>(in.varint() & 07777);
  entry.modified_ns = in.zigzag();
  switch (entry.type) {
    case EntryType::file:
    case EntryType::hard_link:
      entry.size = in.varint();
      entry.content = read_content_ref(in);
      if (entry.type == EntryType::hard_link) entry.target = in.sized();
      break;
    case EntryType::directory:
      entry.content = read_content_ref(in);
      entry.totals.files = in.varint();
      entry.totals.directories = in.varint();
      entry.totals.bytes = in.varint();
      break;
    case EntryType::symlink: entry.target = in.sized(); break;
    case EntryType::char_device:
    case EntryType::block_device:
      entry.device_major = static_cast<std::uint32_t>(in.varint());
      entry.device_minor = static_cast<std::uint32_t>(in.varint());
      break;
    case EntryType::fifo:
    case EntryType::socket: break;
  }
  bool holes_seen = false;
  while (in.remaining() > 0) {
    const std::uint64_t number = in.varint();
    const std::string extra = in.sized();
    if (in.failed()) break;
    if (number == k_holes) {
      if (!has_bytes(entry.type) || holes_seen || !decode_holes(as_bytes(extra), entry)) return damaged();
      holes_seen = true;
    } else if (number == k_attribute) {
      ByteReader attribute(as_bytes(extra));
      std::string name = attribute.sized();
      std::string value = to_text(attribute.raw(attribute.remaining()));
      if (attribute.failed() || !valid_attribute_name(name)) return damaged();
      entry.attributes.emplace_back(std::move(name), std::move(value));
    } else if (number == k_problem) {
      entry.problem = extra;
    } else if (number % 2 == 1) {
      return Error{Code::unsupported,
                   concat("'", printable(entry.name), "' uses a feature that this version does not know"),
                   "use a newer Studio"};
    }
  }
  if (in.failed() || !is_valid(entry, holes_seen)) return damaged();
  return entry;
}

Result<bool> TreeReader::ensure(std::size_t size) {
  while (buffer_.size() - at_ < size) {
    TRY_ASSIGN(const ByteView piece, content_.next());
    if (piece.empty()) return false;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    append(buffer_, piece);
  }
  return true;
}

Result<std::optional<TreeEntry>> TreeReader::next() {
  if (!started_) {
    TRY_ASSIGN(const bool header, ensure(k_header_size));
    if (!header || as_text(ByteView(buffer_).first(8)) != k_magic) return damaged();
    if (std::to_integer<std::uint8_t>(buffer_[8]) != k_version)
      return Error{Code::unsupported, "a directory listing has a newer format", "use a newer Studio"};
    at_ = k_header_size;
    started_ = true;
  }
  TRY_ASSIGN(const bool more, ensure(1));
  if (!more) return std::optional<TreeEntry>();
  TRY(ensure(10));  // the longest varint; the listing may end before
  ByteReader prefix(ByteView(buffer_).subspan(at_));
  const std::size_t before = prefix.remaining();
  const std::uint64_t length = prefix.varint();
  if (prefix.failed() || length > k_most_entry) return damaged();
  at_ += before - prefix.remaining();
  TRY_ASSIGN(const bool complete, ensure(length));
  if (!complete) return damaged();
  TRY_ASSIGN(TreeEntry entry, parse_entry(ByteView(buffer_).subspan(at_, length)));
  at_ += length;
  if (!last_name_.empty() && entry.name <= last_name_) return damaged();
  last_name_ = entry.name;
  return std::optional<TreeEntry>(std::move(entry));
}

}  // namespace studio::content
