// Python's pickle format (docs.python.org, "pickletools"), looked at and never run: what would be imported and called
// is noted down in place of being imported and called.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/byte_source.hpp"
#include "base/result.hpp"

namespace studio::analysis {

// What a pickle describes. Values refer to each other, also in circles.
struct PickleValue {
  enum class Kind {
    none,
    boolean,  // integer
    integer,  // that do not fit are `other`
    real,
    text,        // text: a string, or bytes; integer: how long it is. What is longer than k_longest_text is left out.
    list,        // items; a set too
    tuple,       // items
    dictionary,  // pairs
    global,      // text: "module.name"
    persistent,  // items: one, what stands for something outside of the pickle
    call,        // items: what would be called, its arguments, and what its state would be set to
    other,
  };
  Kind kind = Kind::other;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text = {};
  std::vector<const PickleValue*> items = {};
  std::vector<std::pair<const PickleValue*, const PickleValue*>> pairs =
      {};  // of a call too: what is put into its result
};

class Pickle {
 public:
  // That which begins at `offset`. `corrupt` if it is none; `exhausted` if it has more than k_most_values values, or is
  // longer than k_most_head (long texts, the numbers of arrays, do not count).
  static Result<Pickle> parse(ByteSource& file, std::uint64_t offset = 0);
  static constexpr std::size_t k_most_values = 1 << 20;
  static constexpr std::size_t k_longest_text = 64 << 10;

  const PickleValue& root() const { return *root_; }
  std::uint64_t end() const { return end_; }  // in the file
  // "module.name" of all that loading it would import, in the order of the pickle, each once.
  const std::vector<std::string>& imports() const { return imports_; }

 private:
  friend class PickleReader;
  std::deque<PickleValue> values_;
  std::deque<std::string> texts_;
  std::vector<std::string> imports_;
  const PickleValue* root_ = nullptr;
  std::uint64_t end_ = 0;
};

// Those of them that run what they like: a checkpoint has no need of them.
std::vector<std::string> dangerous_imports(const std::vector<std::string>& imports);

}  // namespace studio::analysis
