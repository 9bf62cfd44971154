#include "analysis/zip_directory.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "analysis/checkpoint.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

constexpr std::string_view k_end = "PK\x05\x06";
constexpr std::string_view k_locator = "PK\x06\x07";
constexpr std::string_view k_large_end = "PK\x06\x06";
constexpr std::string_view k_central = "PK\x01\x02";
constexpr std::string_view k_local = "PK\x03\x04";
constexpr std::size_t k_end_size = 22;
constexpr std::size_t k_locator_size = 20;
constexpr std::size_t k_large_end_size = 56;
constexpr std::size_t k_central_size = 46;
constexpr std::size_t k_local_size = 30;
constexpr std::uint64_t k_longest_comment = 65535;
constexpr std::uint32_t k_elsewhere = 0xffffffff;  // the number is in the extension
constexpr std::uint16_t k_large_extra = 1;

template <class Integer>
Integer at(ByteView bytes, std::size_t offset) {
  Integer value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

Error damaged(std::string_view what) { return {Code::corrupt, concat("the zip archive ", what)}; }

struct Table {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

Result<Table> find_table(ByteSource& file) {
  const std::uint64_t tail_size = std::min<std::uint64_t>(file.size(), k_end_size + k_longest_comment);
  const std::uint64_t tail_at = file.size() - tail_size;
  TRY_ASSIGN(const Bytes tail, file.read(tail_at, tail_size));
  const std::size_t end = as_text(tail).rfind(k_end);
  if (end == std::string_view::npos || tail.size() - end < k_end_size)
    return damaged("has no table of contents: it is cut off, or still being written");
  Table table{at<std::uint32_t>(tail, end + 16), at<std::uint32_t>(tail, end + 12)};
  if (end < k_locator_size || as_text(tail).substr(end - k_locator_size, k_locator.size()) != k_locator) return table;
  TRY_ASSIGN(const Bytes large,
             file.read(at<std::uint64_t>(tail, end - k_locator_size + 8), std::uint64_t{k_large_end_size}));
  if (!as_text(large).starts_with(k_large_end)) return damaged("has no table of contents where it says");
  return Table{at<std::uint64_t>(large, 48), at<std::uint64_t>(large, 40)};
}

// The numbers that did not fit, in this order, each only if it did not.
bool read_large_extra(ByteView extra, ZipEntry& entry) {
  while (extra.size() >= 4) {
    const auto id = at<std::uint16_t>(extra, 0);
    const auto size = at<std::uint16_t>(extra, 2);
    extra = extra.subspan(4);
    if (size > extra.size()) return false;
    if (id != k_large_extra) {
      extra = extra.subspan(size);
      continue;
    }
    ByteView numbers = extra.first(size);
    for (std::uint64_t* number : {&entry.size, &entry.stored_size, &entry.header}) {
      if (*number != k_elsewhere) continue;
      if (numbers.size() < 8) return false;
      *number = at<std::uint64_t>(numbers, 0);
      numbers = numbers.subspan(8);
    }
    return true;
  }
  return entry.size != k_elsewhere && entry.stored_size != k_elsewhere && entry.header != k_elsewhere;
}

// Inflates into `raw`; how much came out.
std::optional<std::size_t> inflate_raw(ByteView stored, std::span<std::byte> raw) {
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return std::nullopt;
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(raw.data());
  stream.avail_out = static_cast<uInt>(raw.size());
  const int outcome = ::inflate(&stream, Z_SYNC_FLUSH);
  ::inflateEnd(&stream);
  const bool is_good = outcome == Z_OK || outcome == Z_STREAM_END || outcome == Z_BUF_ERROR;
  return is_good ? std::optional(raw.size() - stream.avail_out) : std::nullopt;
}

}  // namespace

Result<std::vector<ZipEntry>> read_zip_directory(ByteSource& file) {
  TRY_ASSIGN(const Table table, find_table(file));
  if (table.size > k_most_head) return Error{Code::exhausted, "the zip archive's table of contents is too large"};
  TRY_ASSIGN(const Bytes bytes, file.read(table.offset, table.size));
  std::vector<ZipEntry> entries;
  for (ByteView rest = bytes; !rest.empty();) {
    if (rest.size() < k_central_size || !as_text(rest).starts_with(k_central))
      return damaged("has a damaged table of contents");
    const std::size_t name_size = at<std::uint16_t>(rest, 28);
    const std::size_t extra_size = at<std::uint16_t>(rest, 30);
    const std::size_t whole = k_central_size + name_size + extra_size + at<std::uint16_t>(rest, 32);
    if (rest.size() < whole) return damaged("has a damaged table of contents");
    if (entries.size() == k_most_tensors) return Error{Code::exhausted, "the zip archive has too many entries"};
    ZipEntry& entry = entries.emplace_back();
    entry.name = as_text(rest.subspan(k_central_size, name_size));
    entry.method = at<std::uint16_t>(rest, 10);
    entry.stored_size = at<std::uint32_t>(rest, 20);
    entry.size = at<std::uint32_t>(rest, 24);
    entry.header = at<std::uint32_t>(rest, 42);
    if (!read_large_extra(rest.subspan(k_central_size + name_size, extra_size), entry))
      return damaged(concat("says nothing of the size of '", printable(entry.name), "'"));
    rest = rest.subspan(whole);
  }
  return entries;
}

Result<std::uint64_t> find_zip_entry(ByteSource& file, const ZipEntry& entry) {
  TRY_ASSIGN(const Bytes head, file.read(entry.header, std::uint64_t{k_local_size}));
  if (!as_text(head).starts_with(k_local)) return damaged(concat("has no '", printable(entry.name), "' where it says"));
  return entry.header + k_local_size + at<std::uint16_t>(head, 26) + at<std::uint16_t>(head, 28);
}

Result<Bytes> read_zip_entry(ByteSource& file, const ZipEntry& entry, std::uint64_t most) {
  TRY_ASSIGN(const std::uint64_t data, find_zip_entry(file, entry));
  const std::uint64_t wanted = std::min(entry.size, most);
  if (entry.method == 0) return file.read(data, wanted);
  if (entry.method != 8)
    return Error{Code::unsupported,
                 concat("'", printable(entry.name), "' is compressed in a way that is not known here")};
  // Deflate makes nothing much longer than it was.
  const std::uint64_t stored = std::min(entry.stored_size, wanted + wanted / 1000 + 1024);
  TRY_ASSIGN(const Bytes bytes, file.read(data, stored));
  Bytes raw(wanted);
  const auto size = inflate_raw(bytes, raw);
  if (!size || *size != wanted) return damaged(concat("has a damaged '", printable(entry.name), "'"));
  return raw;
}

}  // namespace studio::analysis
