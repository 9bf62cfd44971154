#include "analysis/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/concat.hpp"

namespace studio::analysis {

namespace {

// How a format is told: by the file's first bytes, by how its name ends, or only by both; or by its last bytes.
enum class Told { by_head, by_name, by_both, by_name_and_tail };

struct Format {
  Told told;
  std::string_view magic;
  std::array<std::string_view, 6> endings;  // of names
  Result<CheckpointFacts> (*read)(ByteSource& file);
};

constexpr std::uint64_t k_longest_magic = 32;
constexpr std::string_view k_zip = "PK\x03\x04";
// The pickle of PyTorch's magic number.
constexpr std::string_view k_legacy =
    "\x80\x02\x8a\nl\xfc\x9c"
    "F\xf9 j\xa8P\x19.";
constexpr std::array<Format, 12> k_formats{{
    {Told::by_head, "\x93NUMPY", {".npy"}, read_npy},
    {Told::by_head, "GGUF", {".gguf"}, read_gguf},
    {Told::by_head, "\x89HDF\r\n\x1a\n", {".h5", ".hdf5"}, read_hdf5},
    {Told::by_name, "", {".npz"}, read_npz},
    {Told::by_name, "", {".safetensors"}, read_safetensors},
    {Told::by_name, "", {".onnx"}, read_onnx},
    {Told::by_name,
     "",
     {".safetensors.index.json", ".bin.index.json", ".h5.index.json", ".msgpack.index.json", ".weights.json"},
     read_sharded},
    {Told::by_name_and_tail, "\x57\xfb\x80\x8b\x24\x75\x47\xdb", {".index"}, read_tensorflow},
    {Told::by_both, k_zip, {".keras"}, read_keras},
    {Told::by_both, k_zip, {".pt", ".pth", ".ckpt", ".bin", ".tar", ".pkl"}, read_pytorch},
    {Told::by_head, k_legacy, {}, read_pytorch_legacy},
    {Told::by_both, "\x80", {".pkl", ".pck", ".pickle", ".pt", ".pth", ".ckpt"}, read_pickle},
}};

bool has_ending(const Format& format, std::string_view name) {
  return std::ranges::any_of(format.endings, [&](auto ending) { return !ending.empty() && name.ends_with(ending); });
}

}  // namespace

std::optional<std::uint64_t> element_count(const std::vector<std::uint64_t>& shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape)
    if (__builtin_mul_overflow(count, size, &count)) return std::nullopt;
  return count;
}

std::string number_text(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", number);
  return text.data();
}

void sort_by_name(std::vector<TensorFacts>& tensors) { std::ranges::stable_sort(tensors, {}, &TensorFacts::name); }

std::string missing_data(std::uint64_t there, std::uint64_t whole) {
  return there < whole ? concat(there, " of ", whole, " bytes of data are there") : "";
}

bool may_be_checkpoint(std::string_view name) {
  return std::ranges::any_of(k_formats, [&](const Format& format) { return has_ending(format, name); });
}

Result<std::optional<CheckpointFacts>> read_checkpoint(std::string_view name, ByteSource& file) {
  const std::uint64_t size = std::min(k_longest_magic, file.size());
  TRY_ASSIGN(const Bytes head, file.read(0, size));
  for (const Format& format : k_formats) {
    if (format.told != Told::by_head && !has_ending(format, name)) continue;
    if (format.told == Told::by_name_and_tail) {
      TRY_ASSIGN(const Bytes tail, file.read(file.size() - size, size));
      if (!as_text(tail).ends_with(format.magic)) continue;
    } else if (!as_text(head).starts_with(format.magic)) {
      continue;
    }
    TRY_ASSIGN(auto facts, format.read(file));
    return std::optional(std::move(facts));
  }
  return std::optional<CheckpointFacts>();
}

}  // namespace studio::analysis
