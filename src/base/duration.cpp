#include "base/duration.hpp"

#include <array>
#include <cstdint>

#include "base/concat.hpp"

namespace studio {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> k_units{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t k_longest = 100ll * 365 * 86'400'000;

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const Error bad{Code::invalid, concat("'", text, "' is not a duration"), "write it as 30s, 1m, 1h30m or 500ms"};
  std::int64_t total = 0;
  std::int64_t last_unit = k_longest;
  std::size_t at = 0;
  while (at < text.size()) {
    std::int64_t number = 0;
    const std::size_t digits = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      number = number * 10 + (text[at] - '0');
      if (number > k_longest) return bad;
    }
    const std::size_t letters = at;
    while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') ++at;
    const std::string_view name = text.substr(letters, at - letters);
    const Unit* unit = nullptr;
    for (const Unit& candidate : k_units)
      if (candidate.name == name) unit = &candidate;
    if (letters == digits || unit == nullptr || unit->milliseconds >= last_unit) return bad;
    if (number > k_longest / unit->milliseconds) return bad;
    total += number * unit->milliseconds;
    last_unit = unit->milliseconds;
  }
  if (total <= 0 || total > k_longest) return bad;
  return std::chrono::milliseconds(total);
}

std::string format_duration(std::chrono::milliseconds duration) {
  std::int64_t rest = duration.count();
  std::string text;
  for (const Unit& unit : k_units) {
    if (rest >= unit.milliseconds) text += concat(rest / unit.milliseconds, unit.name);
    rest %= unit.milliseconds;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace studio
