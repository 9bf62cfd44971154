#include "server/text_table.hpp"

#include <string.h>

#include <algorithm>
#include <functional>

#include "base/letters.hpp"

namespace studio::server {

std::string_view TextTable::operator[](Id id) const {
  const std::size_t begin = begin_of(id);
  return std::string_view(texts_).substr(begin, ends_[id] - begin);
}

// Where it is, or would be.
std::size_t TextTable::slot_of(std::string_view text) const {
  std::size_t slot = std::hash<std::string_view>()(text) & (slots_.size() - 1);
  while (slots_[slot] != k_none && (*this)[slots_[slot]] != text) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

std::optional<TextTable::Id> TextTable::find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const Id id = slots_[slot_of(text)];
  return id == k_none ? std::nullopt : std::optional(id);
}

TextTable::Id TextTable::add(std::string_view text) {
  if (2 * (ends_.size() + 1) > slots_.size()) grow();
  Id& slot = slots_[slot_of(text)];
  if (slot != k_none) return slot;
  slot = size();
  texts_ += text;
  std::ranges::transform(text, std::back_inserter(small_), [](char c) { return lower(c); });
  ends_.push_back(texts_.size());
  return slot;
}

void TextTable::grow() {
  slots_.assign(std::max<std::size_t>(16, 2 * slots_.size()), k_none);
  for (Id id = 0; id < size(); ++id) slots_[slot_of((*this)[id])] = id;
}

std::vector<bool> TextTable::containing(std::string_view word) const {
  std::vector<bool> found(size());
  std::size_t from = 0;
  Id id = 0;
  while (true) {
    const void* const at = ::memmem(small_.data() + from, small_.size() - from, word.data(), word.size());
    if (at == nullptr) return found;
    const auto place = static_cast<std::size_t>(static_cast<const char*>(at) - small_.data());
    while (id < size() && ends_[id] <= place) ++id;
    if (id == size()) return found;  // only of an empty word
    // What goes on into the next text is not in this one.
    found[id] = place + word.size() <= ends_[id];
    from = found[id] ? ends_[id] : place + 1;
  }
}

}  // namespace studio::server
