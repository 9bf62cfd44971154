#include "analysis/checkpoint.hpp"

#include <algorithm>
#include <array>

namespace studio::analysis {

namespace {

constexpr std::string_view k_npy_magic = "\x93NUMPY";

bool begins_with(ByteSource& file, std::string_view magic) {
  if (file.size() < magic.size()) return false;
  const auto head = file.read(0, magic.size());
  return head && as_text(*head) == magic;
}

bool has_pytorch_extension(std::string_view name) {
  constexpr std::array<std::string_view, 6> k_extensions{".pt", ".pth", ".ckpt", ".bin", ".tar", ".pkl"};
  return std::any_of(k_extensions.begin(), k_extensions.end(), [&](auto each) { return name.ends_with(each); });
}

}  // namespace

std::optional<std::uint64_t> element_count(const std::vector<std::uint64_t>& shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape)
    if (__builtin_mul_overflow(count, size, &count)) return std::nullopt;
  return count;
}

Result<std::optional<CheckpointFacts>> read_checkpoint(std::string_view name, ByteSource& file) {
  const auto read = [&](auto reader) -> Result<std::optional<CheckpointFacts>> {
    TRY_ASSIGN(auto facts, reader(file));
    return std::optional(std::move(facts));
  };
  if (begins_with(file, k_npy_magic)) return read(read_npy);
  if (name.ends_with(".npz")) return read(read_npz);
  if (begins_with(file, "PK\x03\x04") && has_pytorch_extension(name)) return read(read_pytorch);
  if (name.ends_with(".safetensors")) return read(read_safetensors);
  return std::optional<CheckpointFacts>();
}

}  // namespace studio::analysis
