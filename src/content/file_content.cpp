#include "content/file_content.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::content {

Result<void> visit_file(ChunkSource& source, const TreeEntry& file, const FileVisitor& visitor) {
  ContentReader content(source, file.content);
  std::uint64_t at = 0;
  std::size_t hole = 0;
  const auto visit_holes = [&]() -> Result<void> {
    for (; hole < file.holes.size() && file.holes[hole].offset == at; ++hole) {
      TRY(visitor.hole(file.holes[hole]));
      at += file.holes[hole].length;
    }
    return {};
  };
  while (true) {
    TRY_ASSIGN(const ByteView piece, content.next());
    if (piece.empty()) break;
    ByteView rest = piece;
    while (!rest.empty()) {
      TRY(visit_holes());
      const std::uint64_t room = hole < file.holes.size() ? file.holes[hole].offset - at : rest.size();
      const ByteView part = rest.first(std::min<std::uint64_t>(room, rest.size()));
      TRY(visitor.data(at, part));
      at += part.size();
      rest = rest.subspan(part.size());
    }
  }
  TRY(visit_holes());
  if (at != file.size)
    return Error{Code::corrupt, concat("the content of '", printable(file.name), "' has the wrong length")};
  return {};
}

Result<void> visit_data(const TreeEntry& file, std::uint64_t begin, ByteView piece,
                        const std::function<Result<void>(std::uint64_t offset, ByteView data)>& visit) {
  std::uint64_t at = begin;  // in the file, once the holes before it are counted
  auto hole = file.holes.begin();
  while (!piece.empty()) {
    for (; hole != file.holes.end() && hole->offset <= at; ++hole) at += hole->length;
    const std::uint64_t room = hole != file.holes.end() ? hole->offset - at : piece.size();
    const ByteView data = piece.first(std::min<std::uint64_t>(room, piece.size()));
    TRY(visit(at, data));
    at += data.size();
    piece = piece.subspan(data.size());
  }
  return {};
}

Result<void> write_zeros(std::uint64_t count, const Sink& sink) {
  static constexpr std::array<std::byte, 64 * 1024> k_zeros{};
  while (count > 0) {
    const auto part = std::min<std::uint64_t>(count, k_zeros.size());
    TRY(sink(ByteView(k_zeros).first(part)));
    count -= part;
  }
  return {};
}

Result<void> write_file_content(ChunkSource& source, const TreeEntry& file, const Sink& sink) {
  return visit_file(source, file,
                    {.data = [&](std::uint64_t, ByteView data) { return sink(data); },
                     .hole = [&](const Extent& hole) { return write_zeros(hole.length, sink); }});
}

Result<void> write_file_range(ChunkSource& source, const TreeEntry& file, std::uint64_t offset, std::uint64_t length,
                              const Sink& sink) {
  constexpr std::uint64_t k_piece = 1 << 20;
  const std::uint64_t end = offset + length;
  auto hole = file.holes.begin();
  std::uint64_t skipped = 0;  // bytes of holes before `offset`
  for (; hole != file.holes.end() && hole->offset + hole->length <= offset; ++hole) skipped += hole->length;
  if (hole != file.holes.end() && hole->offset < offset) skipped += offset - hole->offset;
  ContentReader content(source, file.content);
  TRY(content.seek(std::min(offset - skipped, file.content.size)));
  Bytes buffer(std::min(length, k_piece));
  for (std::uint64_t at = offset; at < end;) {
    if (hole != file.holes.end() && hole->offset <= at) {
      const std::uint64_t to = std::min(end, hole->offset + hole->length);
      TRY(write_zeros(to - at, sink));
      at = to;
      ++hole;
      continue;
    }
    const std::uint64_t to = hole == file.holes.end() ? end : std::min(end, hole->offset);
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(to - at, buffer.size()));
    TRY(content.read(piece));
    TRY(sink(piece));
    at += piece.size();
  }
  return {};
}

}  // namespace studio::content
