// print_checkpoint FILE: what our readers find in a checkpoint, as JSON that test_checkpoints.py holds against the
// library that wrote it.
#include <filesystem>
#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>

#include "analysis/checkpoint.hpp"

namespace {

using nlohmann::ordered_json;
using namespace studio;
using namespace studio::analysis;

class FileSource : public ByteSource {
 public:
  explicit FileSource(const char* path) : stream_(path, std::ios::binary), size_(std::filesystem::file_size(path)) {}
  std::uint64_t size() const override { return size_; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
    if (!stream_) return Error{Code::internal, "cannot read"};
    return {};
  }

 private:
  std::ifstream stream_;
  std::uint64_t size_;
};

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 2) return 2;
  FileSource file(arguments[1]);
  const auto facts = read_checkpoint(arguments[1], file);
  if (!facts) {
    std::cerr << name_of(facts.error().code) << ": " << facts.error().message << "\n";
    return 1;
  }
  if (!*facts) {
    std::cout << "null\n";
    return 0;
  }
  auto tensors = ordered_json::array();
  for (const TensorFacts& tensor : (*facts)->tensors) {
    tensors.push_back({{"name", tensor.name}, {"type", tensor.type}, {"shape", tensor.shape}, {"bytes", tensor.bytes}});
    if (!tensor.file.empty()) tensors.back()["file"] = tensor.file;
  }
  std::cout << ordered_json{{"format", (*facts)->format},
                            {"tensors", std::move(tensors)},
                            {"metadata", (*facts)->metadata},
                            {"dangerous", (*facts)->dangerous},
                            {"incomplete", (*facts)->incomplete}}
                   .dump()
            << "\n";
  return 0;
}
