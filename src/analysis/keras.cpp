// Keras's own format (.keras): a zip archive of config.json, metadata.json and model.weights.h5, which is stored as it
// is.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "analysis/checkpoint.hpp"
#include "analysis/zip_directory.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

constexpr std::string_view k_weights = "model.weights.h5";
constexpr std::string_view k_metadata = "metadata.json";
constexpr std::uint64_t k_most_metadata_bytes = 64 << 10;

// A part of a file.
class Part : public ByteSource {
 public:
  Part(ByteSource& file, std::uint64_t begin, std::uint64_t size) : file_(file), begin_(begin), size_(size) {}
  using ByteSource::read;
  std::uint64_t size() const override { return size_; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    return file_.read(begin_ + offset, into);
  }

 private:
  ByteSource& file_;
  std::uint64_t begin_;
  std::uint64_t size_;
};

Result<CheckpointFacts> read_weights(ByteSource& file, const ZipEntry& entry) {
  if (entry.method != 0) {  // by somebody else
    if (entry.size > k_most_head) return Error{Code::unsupported, "the weights in the archive are compressed"};
    TRY_ASSIGN(const Bytes bytes, read_zip_entry(file, entry, entry.size));
    MemorySource source(bytes);
    return read_hdf5(source);
  }
  TRY_ASSIGN(const std::uint64_t begin, find_zip_entry(file, entry));
  if (begin > file.size() || entry.size > file.size() - begin)
    return Error{Code::corrupt, "the zip archive is damaged: its weights are beyond its end"};
  Part part(file, begin, entry.size);
  return read_hdf5(part);
}

}  // namespace

Result<CheckpointFacts> read_keras(ByteSource& file) {
  TRY_ASSIGN(const auto entries, read_zip_directory(file));
  const auto weights = std::ranges::find(entries, k_weights, &ZipEntry::name);
  if (weights == entries.end()) return Error{Code::corrupt, "the archive has no model.weights.h5: it is not Keras's"};
  TRY_ASSIGN(CheckpointFacts facts, read_weights(file, *weights));
  facts.format = "keras";
  const auto metadata = std::ranges::find(entries, k_metadata, &ZipEntry::name);
  if (metadata == entries.end()) return facts;
  TRY_ASSIGN(const Bytes bytes, read_zip_entry(file, *metadata, k_most_metadata_bytes));
  const auto parsed = nlohmann::json::parse(as_text(bytes), nullptr, false);
  if (!parsed.is_object()) return facts;
  for (const auto& [name, value] : parsed.items())
    if (value.is_string()) facts.metadata.emplace(to_utf8(name), to_utf8(value.get<std::string>()));
  return facts;
}

}  // namespace studio::analysis
