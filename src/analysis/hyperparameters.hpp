// What TensorBoard's hyperparameters plugin keeps of a training (tensorboard/plugins/hparams/plugin_data.proto, with
// values of google/protobuf/struct.proto).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.hpp"

namespace studio::analysis {

using HyperparameterValue = std::variant<double, bool, std::string>;

struct Hyperparameters {
  std::map<std::string, HyperparameterValue> values;  // at most k_most_hyperparameters
  std::string group;                                  // of trainings that have the same values
  std::optional<double> started;                      // seconds since 1970, as are the others
  std::optional<double> ended;
  std::string status;   // "success", "failure", "running"; empty: not known
  bool is_cut = false;  // whether there were more values, or longer ones

  bool empty() const { return values.empty() && !started && !ended; }
};

inline constexpr std::size_t k_most_hyperparameters = 1000;
inline constexpr std::size_t k_most_hyperparameter = 1000;  // bytes of a name or value; of longer values the beginning

// Adds what the message says (HParamsPluginData) of a session's start or end. What is malformed adds nothing more.
void take_hyperparameters(ByteView message, Hyperparameters& hyperparameters);

}  // namespace studio::analysis
