#include "content/seen_files.hpp"

#include "base/codec.hpp"

namespace studio::content {

Digest SeenFiles::digest_of(std::string_view path, const TreeEntry& file) {
  ByteWriter out;
  out.sized(path);
  out.zigzag(file.modified_ns);
  out.varint(file.content.size);
  out.u8(file.content.level);
  out.digest(file.content.digest);
  for (const Extent& hole : file.holes) {
    out.varint(hole.offset);
    out.varint(hole.length);
  }
  return Sha256::of(out.view());
}

}  // namespace studio::content
