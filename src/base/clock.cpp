#include "base/clock.hpp"

#include <array>
#include <cstdio>
#include <thread>

#include "base/concat.hpp"

namespace studio {

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

void SystemClock::sleep_until(WallTime time) const { std::this_thread::sleep_until(time); }

std::string format_time(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09lldZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<long long>(clock.subseconds().count()));
  return text.data();
}

Result<WallTime> parse_time(std::string_view text) {
  const std::string input(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const int fields =
      std::sscanf(input.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  std::size_t at = static_cast<std::size_t>(used);
  std::int64_t fraction = 0;
  if (fields == 6 && at < input.size() && input[at] == '.') {
    std::int64_t unit = 100'000'000;
    for (++at; at < input.size() && input[at] >= '0' && input[at] <= '9'; ++at, unit /= 10)
      fraction += unit * (input[at] - '0');
  }
  if (fields != 6 || !date.ok() || input.substr(at) != "Z")
    return Error{Code::invalid, concat("'", text, "' is not a time in ISO 8601 UTC")};
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::nanoseconds(fraction);
}

}  // namespace studio
