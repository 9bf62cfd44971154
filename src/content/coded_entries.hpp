// The entries of one directory in the form in which they are written: a third of what they take as objects, which a
// directory of many names holds until it is complete.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "content/stat_cache.hpp"

namespace studio::content {

// Not thread-safe. Views are valid for as long as the object is.
class CodedEntries {
 public:
  struct Entry {
    std::string_view name;
    ByteView cached;              // as in a block of the stat cache
    ByteView listed;              // the part of it that is the entry of a listing
    std::uint64_t old_block = 0;  // of a directory that is as it was: its block in the old cache
    CachedEntry decode() const;
  };

  void add(const CachedEntry& entry, std::uint64_t old_block);
  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  Entry operator[](std::size_t i) const;
  void sort();                                            // by the bytes of their names
  void keep_only(const std::vector<std::string>& names);  // which are sorted

 private:
  struct Place {
    const std::byte* at = nullptr;  // of the name; the entry follows
    std::uint32_t name_size = 0;
    std::uint32_t head_size = 0;  // of what the stat cache adds to the entry of a listing
    std::uint32_t size = 0;       // with that
    std::uint64_t old_block = 0;
  };
  std::byte* room_for(std::size_t size);

  std::vector<Place> places_;
  std::vector<Bytes> blocks_;  // full ones but for the last; none moves
  std::size_t used_ = 0;       // of the last
  ByteWriter writer_;
};

}  // namespace studio::content
