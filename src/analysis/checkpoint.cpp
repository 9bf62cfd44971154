#include "analysis/checkpoint.hpp"

#include <array>

namespace studio::analysis {

namespace {

constexpr std::string_view k_npy_magic = "\x93NUMPY";

bool begins_with(ByteSource& file, std::string_view magic) {
  if (file.size() < magic.size()) return false;
  const auto head = file.read(0, magic.size());
  return head && as_text(*head) == magic;
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
  if (name.ends_with(".safetensors")) return read(read_safetensors);
  return std::optional<CheckpointFacts>();
}

}  // namespace studio::analysis
