// NumPy's .npz format: a zip archive of .npy files.
#include <algorithm>

#include "analysis/checkpoint.hpp"
#include "analysis/zip_directory.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

constexpr std::string_view k_extension = ".npy";
constexpr std::uint64_t k_longest_npy_head = 64 << 10;

// The beginning of a file whose rest is not looked at.
class Beginning : public ByteSource {
 public:
  Beginning(ByteView bytes, std::uint64_t size) : bytes_(bytes), size_(size) {}
  using ByteSource::read;
  std::uint64_t size() const override { return size_; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    if (offset + into.size() > bytes_.size()) return Error{Code::exhausted, "the head of an array is too long"};
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return {};
  }

 private:
  ByteView bytes_;
  std::uint64_t size_;
};

}  // namespace

Result<CheckpointFacts> read_npz(ByteSource& file) {
  TRY_ASSIGN(const auto entries, read_zip_directory(file));
  CheckpointFacts facts{.format = "npz"};
  for (const ZipEntry& entry : entries) {
    if (!entry.name.ends_with(k_extension)) continue;
    TRY_ASSIGN(const Bytes bytes, read_zip_entry(file, entry, k_longest_npy_head));
    Beginning beginning(bytes, entry.size);
    auto array = read_npy(beginning);
    if (!array) return within(concat("'", printable(entry.name), "'"), array.error());
    TensorFacts& tensor = array->tensors.front();
    tensor.name = to_utf8(entry.name.substr(0, entry.name.size() - k_extension.size()));
    facts.tensors.push_back(std::move(tensor));
  }
  sort_by_name(facts.tensors);
  return facts;
}

}  // namespace studio::analysis
