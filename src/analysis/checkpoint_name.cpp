#include "analysis/checkpoint_name.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "base/letters.hpp"
#include "base/number.hpp"

namespace studio::analysis {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

// The number that follows one of the words, with at most one of "=_-." between: "step_500", "step=500", "step500". A
// word counts only where it is one: not the "ep" of "deep".
template <std::size_t N>
std::optional<std::uint64_t> number_after(std::string_view text, const std::array<std::string_view, N>& words) {
  for (const std::string_view word : words)
    for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
      if (at > 0 && is_letter(text[at - 1])) continue;
      std::string_view rest = text.substr(at + word.size());
      if (!rest.empty() && std::string_view("=_-.").find(rest.front()) != rest.npos) rest.remove_prefix(1);
      const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_digit) - rest.begin());
      const auto number = parse_number(rest.substr(0, digits));
      const bool is_shard = rest.substr(digits).starts_with("-of-");  // "model-00001-of-00005.safetensors"
      if (number && !is_shard) return number;
    }
  return std::nullopt;
}

CheckpointMoment moment_of(std::string_view component) {
  constexpr std::array<std::string_view, 6> k_step_words{"step", "steps", "iter", "iteration", "checkpoint", "ckpt"};
  // The last as Keras's documentation has it: "weights.05-0.33.hdf5".
  constexpr std::array<std::string_view, 4> k_epoch_words{"epoch", "epochs", "ep", "weights."};
  const std::string text = lower(component);
  return {.step = number_after(text, k_step_words), .epoch = number_after(text, k_epoch_words)};
}

}  // namespace

CheckpointMoment checkpoint_moment(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const CheckpointMoment moment = moment_of(path.substr(slash == path.npos ? 0 : slash + 1));
    if (moment.step || moment.epoch) return moment;
    path = path.substr(0, slash == path.npos ? 0 : slash);
  }
  return {};
}

}  // namespace studio::analysis
