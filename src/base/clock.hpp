// Time as it is handed in: the system's clock in the program, another one in tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace studio {

// Nanoseconds since 1970-01-01T00:00:00Z.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual void sleep_until(WallTime time) const = 0;
};

class SystemClock : public Clock {
 public:
  WallTime now() const override;
  void sleep_until(WallTime time) const override;
};

// ISO 8601 in UTC with nanoseconds, "2026-11-24T05:30:00.000000000Z"; parse takes any number of fraction digits.
std::string format_time(WallTime time);
Result<WallTime> parse_time(std::string_view text);

}  // namespace studio
