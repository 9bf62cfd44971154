#include "content/tar.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/seen_files.hpp"
#include "content/tree_walk.hpp"

namespace studio::content {

namespace {

constexpr std::size_t k_block = 512;
constexpr std::uint64_t k_most_octal = 077777777777;  // 11 octal digits: 8 GiB - 1

// The ustar header of POSIX.1-1988.
struct Header {
  std::array<char, 100> name{};
  std::array<char, 8> mode{};
  std::array<char, 8> uid{};
  std::array<char, 8> gid{};
  std::array<char, 12> size{};
  std::array<char, 12> mtime{};
  std::array<char, 8> checksum{};
  char type = '0';
  std::array<char, 100> link{};
  std::array<char, 8> magic{'u', 's', 't', 'a', 'r', '\0', '0', '0'};
  std::array<char, 32> user{};
  std::array<char, 32> group{};
  std::array<char, 8> device_major{};
  std::array<char, 8> device_minor{};
  std::array<char, 155> prefix{};
  std::array<char, 12> padding{};
};
static_assert(sizeof(Header) == k_block);

template <std::size_t Size>
void put_octal(std::array<char, Size>& field, std::uint64_t value) {
  for (std::size_t i = Size - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
}

template <std::size_t Size>
void put_text(std::array<char, Size>& field, std::string_view text) {
  text.copy(field.data(), Size);
}

class TarWriter {
 public:
  explicit TarWriter(const Sink& sink) : sink_(sink) {}

  Result<void> begin(char type, const std::string& name, const TreeEntry& entry) {
    const auto [seconds, fraction] = split_time(entry.modified_ns);
    const bool plain_time = fraction == 0 && seconds >= 0 && static_cast<std::uint64_t>(seconds) <= k_most_octal;
    const std::string link = type == '1' || type == '2' ? entry.target : std::string();
    const std::uint64_t size = type == '0' ? entry.size : 0;

    std::string records;
    const bool long_name = name.size() > 100;
    const bool long_link = link.size() > 100;
    if ((long_name && !valid_utf8(name)) || (long_link && !valid_utf8(link)))
      add_record(records, "hdrcharset", "BINARY");
    if (long_name) add_record(records, "path", name);
    if (long_link) add_record(records, "linkpath", link);
    if (size > k_most_octal) add_record(records, "size", std::to_string(size));
    if (!plain_time) add_record(records, "mtime", decimal_time(seconds, fraction));
    for (const auto& [attribute, value] : entry.attributes)
      add_record(records, concat("SCHILY.xattr.", escaped(attribute)), value);
    if (!records.empty()) {
      Header extended = header('x', "././@PaxHeader", 0644, records.size(), 0);
      TRY(put_header(extended));
      TRY(sink_(as_bytes(records)));
      TRY(pad(records.size()));
    }
    Header own = header(type, name, entry.mode, size <= k_most_octal ? size : 0,
                        plain_time ? static_cast<std::uint64_t>(seconds) : 0);
    put_text(own.link, link);
    put_octal(own.device_major, entry.device_major);
    put_octal(own.device_minor, entry.device_minor);
    return put_header(own);
  }

  Result<void> pad(std::uint64_t size) {
    static constexpr std::array<std::byte, k_block> k_zeros{};
    const std::size_t rest = size % k_block;
    return rest == 0 ? Result<void>() : sink_(ByteView(k_zeros).first(k_block - rest));
  }

 private:
  static Header header(char type, std::string_view name, std::uint32_t mode, std::uint64_t size, std::uint64_t time) {
    Header header;
    put_text(header.name, name);
    put_octal(header.mode, mode);
    put_octal(header.uid, 0);
    put_octal(header.gid, 0);
    put_octal(header.size, size);
    put_octal(header.mtime, time);
    header.type = type;
    return header;
  }

  Result<void> put_header(Header& header) {
    header.checksum.fill(' ');
    unsigned sum = 0;
    std::array<unsigned char, k_block> bytes{};
    std::memcpy(bytes.data(), &header, k_block);
    for (const unsigned char byte : bytes) sum += byte;
    std::snprintf(header.checksum.data(), header.checksum.size(), "%06o", sum);
    return sink_(std::as_bytes(std::span(&header, 1)));
  }

  // "LENGTH KEY=VALUE\n", where LENGTH counts itself.
  static void add_record(std::string& records, std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
    records += concat(length, " ", key, "=", value, "\n");
  }

  // A key ends at its first '='. As GNU tar does it.
  static std::string escaped(std::string_view key) {
    std::string text;
    for (const char c : key) {
      if (c == '%') {
        text += "%25";
      } else if (c == '=') {
        text += "%3D";
      } else {
        text += c;
      }
    }
    return text;
  }

  static std::string decimal_time(std::int64_t seconds, std::int64_t fraction) {
    if (fraction == 0) return std::to_string(seconds);
    std::array<char, 48> text{};
    if (seconds >= 0) {
      std::snprintf(text.data(), text.size(), "%lld.%09lld", static_cast<long long>(seconds),
                    static_cast<long long>(fraction));
    } else {
      std::snprintf(text.data(), text.size(), "-%lld.%09lld", static_cast<long long>(-(seconds + 1)),
                    static_cast<long long>(1'000'000'000 - fraction));
    }
    return text.data();
  }

  const Sink& sink_;
};

char type_of(EntryType type) {
  switch (type) {
    case EntryType::file: return '0';
    case EntryType::hard_link: return '1';
    case EntryType::symlink: return '2';
    case EntryType::char_device: return '3';
    case EntryType::block_device: return '4';
    case EntryType::directory: return '5';
    case EntryType::fifo: return '6';
    case EntryType::socket: return '\0';
  }
  return '\0';
}

}  // namespace

Result<void> export_tar(ChunkSource& source, const ContentRef& root, const std::string& prefix, const Sink& sink,
                        const TreeEntry& directory) {
  TarWriter tar(sink);
  TRY(tar.begin('5', concat(prefix, "/"), directory));
  TreeWalk walk(source, root);
  SeenFiles seen;
  while (true) {
    TRY_ASSIGN(auto event, walk.next());
    if (!event) break;
    if (event->kind == TreeWalk::Event::Kind::leave || event->entry.type == EntryType::socket) continue;
    TreeEntry& entry = event->entry;
    std::string name = concat(prefix, "/", event->path);
    if (entry.type == EntryType::directory) name += '/';
    if (entry.type == EntryType::hard_link) {
      if (!seen.hold_target_of(entry)) entry.type = EntryType::file;
      entry.target = concat(prefix, "/", entry.target);
    } else if (entry.type == EntryType::file) {
      seen.add(event->path, entry);
    }
    TRY(tar.begin(type_of(entry.type), name, entry));
    if (entry.type != EntryType::file) continue;
    TRY(write_file_content(source, entry, sink));
    TRY(tar.pad(entry.size));
  }
  return write_zeros(2 * k_block, sink);
}

}  // namespace studio::content
