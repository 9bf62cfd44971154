// What the name of a checkpoint tells of when it was written: "epoch=3-step=1200.ckpt",
// "checkpoint-500/model.safetensors".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace studio::analysis {

struct CheckpointMoment {
  std::optional<std::uint64_t> step;
  std::optional<std::uint64_t> epoch;
  friend bool operator==(const CheckpointMoment&, const CheckpointMoment&) = default;
};

// Of a path with '/' between its components: the last that tells anything does.
CheckpointMoment checkpoint_moment(std::string_view path);

}  // namespace studio::analysis
