// The table of contents of a zip archive (APPNOTE.TXT of PKWARE, 4.3), with the extensions for large ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/byte_source.hpp"
#include "base/result.hpp"

namespace studio::analysis {

struct ZipEntry {
  std::string name;
  std::uint16_t method = 0;  // 0: stored, 8: deflated
  std::uint64_t stored_size = 0;
  std::uint64_t size = 0;
  std::uint64_t header = 0;  // where its local header is
};

inline bool is_zip(ByteView head) { return as_text(head).starts_with("PK\x03\x04"); }

// In the order of the table. `corrupt` if there is none at the end, as in an archive that is still being written;
// `exhausted` if it is larger than k_most_head or names more than k_most_tensors entries.
Result<std::vector<ZipEntry>> read_zip_directory(ByteSource& file);

// Where the bytes of an entry begin, compressed as they may be.
Result<std::uint64_t> find_zip_entry(ByteSource& file, const ZipEntry& entry);

// The first bytes of an entry, at most `most` of them; fewer only if it has fewer. `unsupported` if it is compressed in
// another way than deflate.
Result<Bytes> read_zip_entry(ByteSource& file, const ZipEntry& entry, std::uint64_t most);

}  // namespace studio::analysis
