// What the engine works with, handed in by the program (or by a test).
#pragma once

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "blob/live_files.hpp"
#include "catalog/catalog.hpp"
#include "content/repository.hpp"
#include "engine/home.hpp"

namespace studio::engine {

enum class Severity { detail, notice, warning };

// Shows a line to the user. May be called from any thread.
using Reporter = std::function<void(Severity, const std::string&)>;

struct Services {
  const Home& home;
  const Clock& clock;
  catalog::Catalog& catalog;
  content::Repository& repository;
  const Reporter& report;
  // Whether runs of other machines are in the catalog, too.
  bool catalog_is_shared = false;
  // Where runs are looked at from other machines as they go on; null: nowhere.
  blob::LiveFiles* live_files = nullptr;
};

}  // namespace studio::engine
