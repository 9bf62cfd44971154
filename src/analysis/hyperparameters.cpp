#include "analysis/hyperparameters.hpp"

#include <cmath>
#include <string_view>

#include "analysis/protobuf.hpp"

namespace studio::analysis {

namespace {

// google.protobuf.Value; nothing for null, lists and structures, which the plugin does not show either.
std::optional<HyperparameterValue> parse_value(ByteView message) {
  std::optional<HyperparameterValue> value;
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() == 2) value = in.real();
    if (in.field() == 3) value = std::string(in.text());
    if (in.field() == 4) value = in.integer() != 0;
  }
  return in.failed() ? std::nullopt : value;
}

void take_value(ByteView entry, Hyperparameters& into) {
  std::string_view name;
  ByteView message;
  ProtobufReader in(entry);
  while (in.next()) {
    if (in.field() == 1) name = in.text();
    if (in.field() == 2) message = in.bytes();
  }
  auto value = parse_value(message);
  if (in.failed() || !value) return;
  if (name.size() > k_most_hyperparameter || into.values.size() == k_most_hyperparameters) {
    into.is_cut = true;
    return;
  }
  if (auto* text = std::get_if<std::string>(&*value); text != nullptr && text->size() > k_most_hyperparameter) {
    into.is_cut = true;
    text->resize(k_most_hyperparameter);
  }
  into.values.insert_or_assign(std::string(name), *std::move(value));
}

std::optional<double> finite(double time) { return std::isfinite(time) ? std::optional(time) : std::nullopt; }

void take_start(ByteView message, Hyperparameters& into) {
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() == 1) take_value(in.bytes(), into);
    if (in.field() == 4) into.group = in.text().substr(0, k_most_hyperparameter);
    if (in.field() == 5) into.started = finite(in.real());
  }
}

void take_end(ByteView message, Hyperparameters& into) {
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() == 1) {
      constexpr std::string_view k_names[]{"", "success", "failure", "running"};  // enum Status
      into.status = in.integer() < std::size(k_names) ? k_names[in.integer()] : "";
    }
    if (in.field() == 2) into.ended = finite(in.real());
  }
}

}  // namespace

void take_hyperparameters(ByteView message, Hyperparameters& hyperparameters) {
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() == 3) take_start(in.bytes(), hyperparameters);
    if (in.field() == 4) take_end(in.bytes(), hyperparameters);
  }
}

}  // namespace studio::analysis
