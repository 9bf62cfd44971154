// NumPy's .npy format: magic, version (2 bytes), length of the head (2 bytes in version 1, else 4), the head: a Python
// dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, the data.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "analysis/checkpoint.hpp"
#include "analysis/numpy_type.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

constexpr std::size_t k_magic_size = 6;

Error malformed(std::string_view what) { return {Code::corrupt, concat("the .npy head ", what)}; }

// Reads the dictionary of the head, which is a literal: nothing is evaluated.
class HeadReader {
 public:
  explicit HeadReader(std::string_view text) : rest_(text) {}

  Result<void> read() {
    TRY(expect('{'));
    while (!accept('}')) {
      TRY_ASSIGN(const std::string key, string());
      TRY(expect(':'));
      TRY(value_of(key));
      if (!accept(',')) {
        TRY(expect('}'));
        break;
      }
    }
    if (!has_shape_) return malformed("has no shape");
    return {};
  }

  const std::string& type() const { return type_; }
  const std::vector<std::uint64_t>& shape() const { return shape_; }

 private:
  void skip_space() {
    const std::size_t begin = std::min(rest_.find_first_not_of(" \n\t"), rest_.size());
    rest_.remove_prefix(begin);
  }
  bool accept(char c) {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  Result<void> expect(char c) {
    if (!accept(c)) return malformed(concat("lacks a '", std::string(1, c), "'"));
    return {};
  }
  Result<std::string> string() {
    skip_space();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    const std::size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : rest_.npos;
    if (end == rest_.npos) return malformed("lacks a string");
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  Result<void> value_of(const std::string& key) {
    skip_space();
    if (key == "descr" && !rest_.starts_with('[')) {
      TRY_ASSIGN(type_, string());
      return {};
    }
    if (key == "shape") return read_shape();
    return skip_value();
  }

  Result<void> read_shape() {
    TRY(expect('('));
    has_shape_ = true;
    while (!accept(')')) {
      skip_space();
      std::uint64_t size = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (error != std::errc()) return malformed("has a wrong shape");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      (void)accept('L');  // as Python 2 wrote it
      shape_.push_back(size);
      if (!accept(',')) {
        TRY(expect(')'));
        break;
      }
    }
    return {};
  }

  // A word, or a bracket with all that is in it: the type of a record.
  Result<void> skip_value() {
    std::size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '\'' || c == '"') {
        TRY(string());
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) return {};
      if (c == '(' || c == '[' || c == '{') ++depth;
      if (c == ')' || c == ']' || c == '}') {
        if (depth == 0) return malformed("has brackets that do not match");
        --depth;
      }
      rest_.remove_prefix(1);
    }
    return malformed("ends too early");
  }

  std::string_view rest_;
  std::string type_;  // empty: a record
  std::vector<std::uint64_t> shape_;
  bool has_shape_ = false;
};

}  // namespace

Result<CheckpointFacts> read_npy(ByteSource& file) {
  TRY_ASSIGN(const Bytes prefix, file.read(0, k_magic_size + 2));
  if (as_text(ByteView(prefix).first(k_magic_size)) != "\x93NUMPY") return Error{Code::corrupt, "this is no .npy file"};
  const auto version = std::to_integer<unsigned>(prefix[k_magic_size]);
  if (version < 1 || version > 3)
    return Error{Code::unsupported, concat(".npy files of version ", version, " are not known")};
  const std::size_t length_size = version == 1 ? 2 : 4;
  TRY_ASSIGN(const Bytes length_bytes, file.read(k_magic_size + 2, length_size));
  std::uint64_t length = 0;
  std::memcpy(&length, length_bytes.data(), length_size);
  if (length > k_most_head) return Error{Code::exhausted, "the .npy head is longer than any is"};
  TRY_ASSIGN(const Bytes head, file.read(k_magic_size + 2 + length_size, length));
  HeadReader reader(as_text(head));
  TRY(reader.read());
  const NumpyType type = name_numpy_type(reader.type());
  const auto count = element_count(reader.shape());
  std::uint64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, type.size, &bytes)) return malformed("has a shape that is too large");
  const std::uint64_t there = file.size() - (k_magic_size + 2 + length_size + length);
  if (type.size == 0) bytes = there;
  CheckpointFacts facts{.format = "npy"};
  facts.tensors.push_back({.name = {}, .type = type.name, .shape = reader.shape(), .bytes = bytes});
  facts.incomplete = missing_data(there, bytes);
  return facts;
}

}  // namespace studio::analysis
