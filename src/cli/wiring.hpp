// Builds what commands work with, each part when it is first asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "catalog/catalog.hpp"
#include "cli/config.hpp"
#include "cli/messages.hpp"
#include "content/repository.hpp"
#include "engine/services.hpp"

namespace studio::cli {

class Wiring {
 public:
  // Both are borrowed.
  Wiring(const engine::Home& home, Messages& messages);

  void set_config(const Config& config) { config_ = &config; }

  // Everything, made on disk if it is missing; a new catalog is filled from the store, and runs that were lost are repaired. For commands that run or
  // change something. The errors are never usage errors.
  Result<engine::Services> open();

  // The same, for commands that only read: nothing if Studio has never been used with this configuration. Makes nothing then.
  Result<std::optional<engine::Services>> open_existing();

  const engine::Home& home() const { return home_; }

 private:
  Result<void> open_store();
  Result<void> open_catalog();

  const engine::Home& home_;
  Messages& messages_;
  const Config* config_ = nullptr;
  SystemClock clock_;
  engine::Reporter report_;
  std::unique_ptr<blob::Store> store_;
  std::unique_ptr<content::Repository> repository_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

}  // namespace studio::cli
