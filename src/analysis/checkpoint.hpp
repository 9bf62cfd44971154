// What a checkpoint holds, read from its head alone. Nothing in it is ever run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/byte_source.hpp"
#include "base/result.hpp"

namespace studio::analysis {

struct TensorFacts {
  std::string name = {};
  // "float32", "bfloat16", "int64"; as the file says where there is no common name. Empty: neither it nor the shape nor
  // the size is told here.
  std::string type = {};
  std::vector<std::uint64_t> shape = {};  // the slowest dimension first; empty: a single number
  std::uint64_t bytes = 0;                // that its data takes
  // The file beside this one that holds its data, if one does: "model-00001-of-00002.safetensors". One that begins with
  // a dot goes on where the name of this one has its extension: ".data-00000-of-00001".
  std::string file = {};
  friend bool operator==(const TensorFacts&, const TensorFacts&) = default;
};

struct CheckpointFacts {
  std::string_view format;                           // "safetensors"
  std::vector<TensorFacts> tensors = {};             // in byte order of their names
  std::map<std::string, std::string> metadata = {};  // what the writer added
  std::vector<std::string> dangerous = {};           // what loading it would call that could do anything: "os.system"
  // Why it is not whole: it is still being written, or was cut off. Empty if it is.
  std::string incomplete = {};
};

// The number of elements; nothing if it is beyond 64 bits.
std::optional<std::uint64_t> element_count(const std::vector<std::uint64_t>& shape);

// Whether a file of that name may be a checkpoint of a format that is known here, so that it is worth opening.
bool may_be_checkpoint(std::string_view name);

// By the file's first bytes, or by `name` where these do not tell. Nothing if it is no checkpoint of a format that is
// known here; `corrupt` if it is one and is damaged.
Result<std::optional<CheckpointFacts>> read_checkpoint(std::string_view name, ByteSource& file);

// One format each. `corrupt` if the file is none of it. A head is refused (`exhausted`) that is longer than
// k_most_head, or names more than k_most_tensors.
inline constexpr std::uint64_t k_most_head = 16 << 20;
inline constexpr std::size_t k_most_tensors = 1 << 20;
inline constexpr std::size_t k_most_metadata = 10'000;  // entries; what is beyond is refused, or left out
Result<CheckpointFacts> read_gguf(ByteSource& file);    // github.com/ggml-org/ggml, docs/gguf.md
Result<CheckpointFacts> read_onnx(ByteSource& file);    // github.com/onnx/onnx, onnx/onnx.proto
// huggingface.co/docs, "Sharded checkpoints"; keras.io, "save_weights", of several files.
Result<CheckpointFacts> read_sharded(ByteSource& file);
Result<CheckpointFacts> read_tensorflow(ByteSource& file);   // tensorflow/core/util/tensor_bundle
Result<CheckpointFacts> read_safetensors(ByteSource& file);  // huggingface.co/docs/safetensors
Result<CheckpointFacts> read_npy(ByteSource& file);          // numpy.org/doc, "numpy.lib.format"
Result<CheckpointFacts> read_npz(ByteSource& file);          // the same
Result<CheckpointFacts> read_hdf5(ByteSource& file);         // docs.hdfgroup.org; what h5py and Keras write
Result<CheckpointFacts> read_keras(ByteSource& file);        // keras.io, "Whole model saving & loading"
// What torch.save() writes since PyTorch 1.6: a zip archive of a pickle and the bytes of each storage.
Result<CheckpointFacts> read_pytorch(ByteSource& file);
Result<CheckpointFacts> read_pytorch_legacy(ByteSource& file);  // and before
Result<CheckpointFacts> read_pickle(ByteSource& file);          // docs.python.org, "pickletools"

// What the readers share: a number of the metadata, the order of the tensors, and what is said of data that is `there`
// in part (nothing if all is).
std::string number_text(double number);
void sort_by_name(std::vector<TensorFacts>& tensors);
std::string missing_data(std::uint64_t there, std::uint64_t whole);

}  // namespace studio::analysis
