// How something is put in a place that may be taken: made under another name, which then takes the place at once.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::content {

inline constexpr std::string_view k_staged_prefix = ".studio-get";

// Removed with the value as long as it has not taken the place.
class StagedName {
 public:
  // In the open directory. Unless `replaces`, the name is free, and the thing is made under it.
  static Result<StagedName> begin(int directory, const std::string& name, bool replaces);
  StagedName(StagedName&&) = default;
  StagedName& operator=(StagedName&&) = delete;
  ~StagedName();

  const std::string& current() const { return staged_.empty() ? name_ : staged_; }  // to be made under
  Result<void> complete();

 private:
  StagedName(os::Fd directory, std::string name, std::string staged)
      : directory_(std::move(directory)), name_(std::move(name)), staged_(std::move(staged)) {}

  os::Fd directory_;  // none if nothing is replaced
  std::string name_;
  std::string staged_;  // empty if nothing is replaced
};

}  // namespace studio::content
