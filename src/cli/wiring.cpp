#include "cli/wiring.hpp"

#include "base/concat.hpp"
#include "blob/registry.hpp"
#include "catalog/registry.hpp"
#include "cli/exit_code.hpp"
#include "engine/recovery.hpp"
#include "os/fd.hpp"

namespace studio::cli {

Wiring::Wiring(const engine::Home& home, Messages& messages)
    : home_(home), messages_(messages), report_([this](engine::Severity severity, const std::string& text) {
        messages_.report(severity, text);
      }) {}

Result<void> Wiring::open_store() {
  TRY_ASSIGN(store_, blob::open_store({.type = config_->storage_type, .path = config_->storage_path}));
  TRY_ASSIGN(repository_, content::Repository::open(*store_, clock_,
                                                    {.cache_directory = home_.stat_caches(),
                                                     .notice = [this](const std::string& text) {
                                                       messages_.report(engine::Severity::warning, text);
                                                     }}));
  return {};
}

Result<void> Wiring::open_catalog() {
  TRY_ASSIGN(catalog_, catalog::open_catalog({.type = config_->database_type, .path = config_->database_path}));
  return {};
}

Result<engine::Services> Wiring::open() {
  const bool is_new_catalog = !os::exists(config_->database_path);
  auto opened = open_store();
  if (opened) opened = open_catalog();
  if (!opened) return no_usage_error(opened.error());
  const engine::Services services{home_, clock_, *catalog_, *repository_, report_};
  if (is_new_catalog) {
    const auto count = engine::rebuild_catalog(services);
    if (!count) return no_usage_error(count.error());
    if (*count > 0)
      messages_.report(engine::Severity::notice,
                       concat("the catalog was missing; it was rebuilt from the store: ", *count, " experiments"));
  }
  if (const auto repaired = engine::repair(services); !repaired) return no_usage_error(repaired.error());
  return services;
}

Result<std::optional<engine::Services>> Wiring::open_existing() {
  if (!os::exists(config_->database_path) && !os::exists(config_->storage_path)) return std::optional<engine::Services>();
  TRY_ASSIGN(const engine::Services services, open());
  return std::optional<engine::Services>(services);
}

}  // namespace studio::cli
