// Texts, each kept once and known by a number. A word is looked for in each of them once, however many experiments
// share it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace studio::server {

// Nothing is ever removed. Not thread-safe.
class TextTable {
 public:
  using Id = std::uint32_t;  // from 0, in the order of their coming

  Id add(std::string_view text);  // of one that is there already its number
  std::optional<Id> find(std::string_view text) const;
  std::string_view operator[](Id id) const;  // valid until the next add()
  Id size() const { return static_cast<Id>(ends_.size()); }

  // By number: whether the text contains the word, which is in small letters. The case of ASCII letters is ignored.
  std::vector<bool> containing(std::string_view word) const;

 private:
  static constexpr Id k_none = UINT32_MAX;

  std::size_t begin_of(Id id) const { return id == 0 ? 0 : ends_[id - 1]; }
  std::size_t slot_of(std::string_view text) const;
  void grow();

  std::string texts_;              // one after the other
  std::string small_;              // the same in small letters
  std::vector<std::size_t> ends_;  // of each
  std::vector<Id> slots_;          // a hash table with linear probing, at most half full; its size is a power of two
};

}  // namespace studio::server
